"""Observe: kernel events, live from the probe or from a recording.

``build.object_path()`` compiles the probe, ``live.Probe`` loads it and opens scans, ``ring.Ring`` and
``freezer.Feed`` read a scan's events, ``state.start_state`` tells what was before the first event.
"""
