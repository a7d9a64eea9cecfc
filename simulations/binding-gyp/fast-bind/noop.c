/* Harmless simulation for testing Package Hunter. Not malware. */
int harmless_simulation;
