"""E-mail, each way over SendGrid (Inbound Parse, mail API, events) or over the operator's own server (IMAP, SMTP)."""
