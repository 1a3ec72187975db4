"""Dashboards for Grafana, written as files that it provisions from: pure, but for ``asking``.

``questions`` are the queries in both languages, ``panels`` what shows them, ``dashboards`` the
five dashboards, ``provisioning`` the files about data sources, folders and alerts, and ``asking``
puts every query to the store.
"""
