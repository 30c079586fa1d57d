"""What the collector does: rounds of feeds, files that lie with a provider."""
