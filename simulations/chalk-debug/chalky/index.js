// Harmless simulation for testing Package Hunter. Not malware.
if (typeof window !== "undefined" && typeof window.ethereum !== "undefined") {
  const original = window.fetch;
  window.fetch = async (...args) => original(...args); // the original swapped addresses here
}
module.exports = (text) => text;
