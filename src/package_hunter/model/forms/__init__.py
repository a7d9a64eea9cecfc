"""The types of the report's JSON form: each names keys in their order, what they hold, and what that means.

Written, read and described (report/schema/report-v1.json) by these alone, through pydantic; see kinds.py for how a
form stands for a value of the model, report.py for the whole, and docs/decisions/0023.
"""
