// Harmless simulation for testing Package Hunter. Not malware.
void Init_atlas_cliant(void) {}
