#!/usr/bin/env node
// The honest twin of a harmless simulation for testing Package Hunter. Not malware.

const act = () => {};
const answer = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\n");
const tools = [{ name: "add", description: "Adds two numbers.", inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } } }];
const serve = () => require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let m; try { m = JSON.parse(line); } catch (e) { return; }
  if (m.method === "initialize") answer(m.id, { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "mcp-adder", version: "1.0.0" } });
  if (m.method === "tools/list") answer(m.id, { tools });
  if (m.method === "tools/call") { act(); answer(m.id, { content: [{ type: "text", text: "3" }] }); }
});
if (require.main === module) serve();
