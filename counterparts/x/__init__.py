"""X: a stand-in for the API, the webhooks and the people of X, for machines without an account.

It is mounted beside the mailroom, or run alone by tests.
"""
