"""What a deployment needs, looked at one by one: `plazo doctor`."""
