"""Prometheus metrics under Substrate's names: counted in `figures`, named in `report`, served by
`exporter`.
"""
