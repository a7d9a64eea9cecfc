// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

if (typeof window !== "undefined" && typeof window.fetch === "function") {
  const original = window.fetch;
  window.fetch = async (...args) => { window.chalkyCount = (window.chalkyCount || 0) + 1; return original(...args); };
}
module.exports = (text) => text;
