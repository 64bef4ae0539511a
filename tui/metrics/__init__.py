"""Metrics for Prometheus: what a stream tells, as counters, gauges and histograms. A dashboard for Grafana and alert
rules lie beside the modules."""
