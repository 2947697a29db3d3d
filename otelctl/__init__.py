"""otelctl sets up and diagnoses OpenTelemetry export to Grafana Cloud, and proves that it works."""

__version__ = "0.1.0"
