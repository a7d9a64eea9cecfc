"""Shell history: what was once typed."""

from __future__ import annotations

from package_hunter.decoy.forge import Forge, random_text

_LINES = """cd ~/projects
git status
npm ci
npm test
docker compose up -d
psql postgres://app:{password}@db.northwind.internal:5432/app
git commit -am "fix flaky retry"
git push
kubectl get pods -n prod
export DEPLOY_TOKEN={token}
./scripts/deploy.sh staging
ssh prod-web-2
npm outdated
code .
"""


def make(forge: Forge) -> None:
    for name in (".bash_history", ".zsh_history"):
        password = forge.canary("database-password", name, random_text(18))
        token = forge.canary("deploy-token", name, random_text(40))
        forge.file(name, _LINES.format(password=password, token=token), 0o600, days=1)
