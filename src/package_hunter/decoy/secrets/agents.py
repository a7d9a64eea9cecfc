"""Configurations of coding assistants, with their API keys."""

from __future__ import annotations

import json
import uuid

from package_hunter.decoy.forge import BASE62, Forge, checked_token, random_text

_SAFE = BASE62 + "-_"


def make(forge: Forge) -> None:
    claude = forge.canary(
        "anthropic-token", ".claude/.credentials.json", "sk-ant-oat01-" + random_text(95, _SAFE)
    )
    forge.file(
        ".claude/.credentials.json",
        json.dumps({"claudeAiOauth": {"accessToken": claude, "scopes": ["user:inference"]}}),
        0o600,
    )
    forge.file(".claude/settings.json", json.dumps({"permissions": {"allow": []}}, indent=2))
    key = forge.canary("openai-key", ".codex/auth.json", "sk-proj-" + random_text(156, _SAFE))
    forge.file(".codex/auth.json", json.dumps({"OPENAI_API_KEY": key, "account": str(uuid.uuid4())}), 0o600)
    gemini = forge.canary("google-api-key", ".gemini/.env", "AIza" + random_text(35, _SAFE))
    forge.file(".gemini/.env", f"GEMINI_API_KEY={gemini}\n", 0o600)
    token = forge.canary("github-token", ".cursor/mcp.json", checked_token("ghp_"), ("github",))
    servers = {"github": {"command": "npx", "args": ["-y", "server-github"], "env": {"GITHUB_TOKEN": token}}}
    forge.file(".cursor/mcp.json", json.dumps({"mcpServers": servers}, indent=2))
