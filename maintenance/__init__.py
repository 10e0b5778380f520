"""Alarms and their rules, work orders, maintenance plans, and who is told of them."""
