"""The mailroom: a stand-in for SendGrid that keeps every letter readable in a browser.

`python -m counterparts.mailroom --port 8025 --var var/mailroom` runs it.
"""
