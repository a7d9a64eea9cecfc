"""The standing drill: a harmless attack of our own goes through the real queue, box, judgement, gate and triage, again
and again, so that somebody knows it works before it must."""
