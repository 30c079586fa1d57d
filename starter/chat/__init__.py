"""The web chat as visitors meet it: `/chat/v1`, its stream of events, and a page that uses both."""
