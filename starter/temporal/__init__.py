"""The way to Temporal: handing over, commanding, and finding what does not run."""
