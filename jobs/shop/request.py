"""Which shop and which days a command line asks for; generate and pipeline share it."""

from __future__ import annotations

import argparse
from datetime import date, timedelta

from jobs.core.config import Config, Scale
from jobs.core.entry import day, positive
from jobs.core.errors import UsageError
from jobs.shop.loading import Span
from jobs.shop.settings import ShopSettings, shop_of
from jobs.shop.world import World, build_world

DEFAULT_SCALE = "default"


def add_shop_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a shop and its days."""
    parser.add_argument(
        "--scale",
        default=DEFAULT_SCALE,
        metavar="NAME",
        help="a size of conf/base.yaml: tiny, small, default or large",
    )
    parser.add_argument("--users", type=positive, metavar="N", help="users, instead of the scale's")
    parser.add_argument("--days", type=positive, metavar="N", help="days, instead of the scale's")
    parser.add_argument("--seed", type=int, metavar="N", help="another seed is another shop")
    parser.add_argument(
        "--dirt",
        choices=("on", "off"),
        help="whether the log has the faults of shop.dirt, instead of as the scale says",
    )
    parser.add_argument(
        "--from", dest="first", type=day, metavar="D", help="first day to make (default: the first)"
    )
    parser.add_argument(
        "--to",
        dest="end",
        type=day,
        metavar="D",
        help="day after the last one to make (default: after the scale's days); a later day "
        "prolongs the same shop",
    )


def check_shop_arguments(args: argparse.Namespace, config: Config) -> None:
    """Refuse an unknown scale, or days that the shop does not have, before anything starts."""
    size = _size(args, config)
    _days(args, shop_of(config), size)
    if size.dirt:
        require_dirt_that_can_be_told(config)


def requested_world(args: argparse.Namespace, config: Config) -> tuple[World, Span]:
    """The world and the days of events asked for."""
    size = _size(args, config)
    settings = shop_of(config)
    days = _days(args, settings, size)
    if size.dirt:
        require_dirt_that_can_be_told(config)
    seed = config.seed if args.seed is None else args.seed
    world = build_world(settings, size.users, size.days, seed, until=days.end, is_dirty=size.dirt)
    return world, days


def require_dirt_that_can_be_told(config: Config) -> None:
    """Refuse faults that silver could not tell from good rows, though they are graded as if.

    Raises
    ------
    UsageError
        A clock runs ahead by less, or a script sends fewer events, than silver turns away.
    """
    dirt, metrics = shop_of(config).dirt, config.metrics
    days, views = dirt.clock_ahead_days[0], dirt.bots.views[0]
    if 24 * days <= metrics.max_clock_ahead_hours:
        raise UsageError(
            f"{config.source}: shop.dirt.clock_ahead_days: {days} days are no more than "
            f"metrics.max_clock_ahead_hours ({metrics.max_clock_ahead_hours}), so nobody could tell"
        )
    if views <= metrics.max_events_per_user_day:
        raise UsageError(
            f"{config.source}: shop.dirt.bots.views: {views} are no more than "
            f"metrics.max_events_per_user_day ({metrics.max_events_per_user_day}), so nobody could "
            "tell"
        )


def requested_days(args: argparse.Namespace, config: Config) -> tuple[date, date]:
    """First and last day asked for, both inclusive."""
    days = _days(args, shop_of(config), _size(args, config))
    return days.first, days.end - timedelta(days=1)


def _size(args: argparse.Namespace, config: Config) -> Scale:
    if args.scale not in config.scales:
        known = ", ".join(config.scales)
        raise UsageError(f"no scale is named {args.scale!r}; conf/base.yaml has {known}")
    scale = config.scales[args.scale]
    return Scale(
        users=args.users or scale.users,
        days=args.days or scale.days,
        dirt=scale.dirt if args.dirt is None else args.dirt == "on",
    )


def _days(args: argparse.Namespace, settings: ShopSettings, size: Scale) -> Span:
    opening = settings.first_date
    first = args.first or opening
    try:
        end = args.end or opening + timedelta(days=size.days)
    except OverflowError as error:
        raise UsageError(f"{size.days} days from {opening} on leave the calendar") from error
    if first < opening:
        raise UsageError(f"--from {first}: the shop opens on {opening} (shop.first_date)")
    if end <= first:
        raise UsageError(f"--to {end} must be later than --from {first}: it is the day after")
    return Span(first, end)
