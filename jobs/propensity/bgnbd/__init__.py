"""BG/NBD: who is still a customer and will buy again, from nothing but the days of orders.

The model of Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way: An Alternative to
the Pareto/NBD Model": a customer buys at random at a rate of their own, gamma-distributed over
customers, and after each repeat purchase leaves for good with a chance of their own,
beta-distributed. Data flow: order days -> histories -> fitting -> model -> chances per customer.
"""
