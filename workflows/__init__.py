"""The durable story of an inquiry."""
