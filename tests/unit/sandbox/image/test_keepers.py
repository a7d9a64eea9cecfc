"""Programs that keep secrets, as they stand in the image: run here, by the fakes of a box."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.search import Searcher
from package_hunter.model.observation import Canary
from package_hunter.sandbox.image import keepers
from package_hunter.sandbox.image.dress import stand_ins


class Home:
    """A user's home with fakes, and the programs."""

    def __init__(self, folder: Path) -> None:
        canaries, files, _ = make_canaries("s", "github", (), "/home/dev/projects/app")
        self.canaries: tuple[Canary, ...] = canaries
        self._home, self._bin = folder / "home/dev", folder / "bin"
        self._bin.mkdir()
        for name, content in keepers.programs().items():
            (self._bin / name).write_bytes(content)
            (self._bin / name).chmod(0o755)
        for file in files:
            path = folder / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)

    def ask(self, line: str, **env: str) -> str:
        """What a program prints; it must succeed."""
        name, *words = line.split()
        done = subprocess.run(
            [str(self._bin / name), *words],
            env={"HOME": str(self._home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout + done.stderr

    def given(self, text: str) -> set[str]:
        """The kinds of the fakes in it, however they are wrapped."""
        found = {hit.canary for hit in Searcher(self.canaries).scan(text.encode())}
        return {self.canaries[index].kind for index in found}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("op item get npm --format json", "password-manager-entry"),
        ("op read op://Private/npm/password", "password-manager-entry"),
        ("op item get npm --fields label=password", "password-manager-entry"),
        ("bw list items", "password-manager-entry"),
        ("bw get password github", "password-manager-entry"),
        ("bw unlock --raw", "password-manager-session"),
        ("pass show cloud/aws-root", "password-manager-entry"),
        ("pass registry/npm", "password-manager-entry"),
        ("secret-tool lookup application chrome", "keyring-entry"),
        ("secret-tool search --all service vscode", "keyring-entry"),
        ("aws configure export-credentials", "aws-secret"),
        ("aws configure export-credentials --format env --profile northwind-prod", "aws-secret"),
        ("aws ssm get-parameter --name /northwind/prod/api/signing-key --with-decryption", "aws-parameter"),
        ("aws secretsmanager get-secret-value --secret-id northwind/prod/api/signing-key", "aws-parameter"),
        ("aws sts get-session-token", "aws-session-token"),
        ("gcloud auth print-access-token", "gcp-access-token"),
        ("gcloud auth print-identity-token", "gcp-id-token"),
        ("az account get-access-token", "azure-access-token"),
        ("kubectl get secret -o yaml", "kube-secret"),
        ("kubectl get secrets -A -o json", "kube-secret"),
        ("kubectl exec -n prod storefront-7c9d8f6b5-x2k4q -- env", "kube-secret"),
        ("kubectl create token default", "kube-service-token"),
        ("kubectl config view --raw", "kube-token"),
        ("gh auth token", "github-token"),
        ("gh auth status -t", "github-token"),
        ("glab auth status -t", "gitlab-token"),
        ("glab config get token --host gitlab.com", "gitlab-token"),
    ],
)
def test_who_asks_is_given_a_fake_that_is_found_again(home: Home, line: str, kind: str) -> None:
    assert home.given(home.ask(line)) >= {kind}


@pytest.mark.parametrize("program", sorted(keepers.PROGRAMS))
@pytest.mark.parametrize("word", ["--version", "--help"])
def test_its_version_and_help_give_nothing_away(home: Home, program: str, word: str) -> None:
    name, *words = program, word
    done = subprocess.run([str(home._bin / name), *words], capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert text.strip() and home.given(text) == set() and "Traceback" not in text


def test_the_environments_credentials_come_before_the_files(home: Home) -> None:
    env = {"AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "other", "GH_TOKEN": "gho_other"}
    given = json.loads(home.ask("aws configure export-credentials", **env))
    assert (given["AccessKeyId"], given["SecretAccessKey"]) == ("AKIAOTHER", "other")
    assert home.ask("gh auth token", **env) == "gho_other\n"


@pytest.mark.parametrize("line", ["op item get nothing", "pass show a/b", "bw get item nothing"])
def test_what_is_not_there_is_an_error_as_the_real_one_has_it(home: Home, line: str) -> None:
    name, *words = line.split()
    done = subprocess.run(
        [str(home._bin / name), *words], capture_output=True, text=True, env={"HOME": "/nowhere"}
    )
    assert done.returncode != 0 and done.stderr.strip() and "Traceback" not in done.stderr


def test_they_stand_among_the_images_stand_ins() -> None:
    assert set(keepers.PROGRAMS) <= set(stand_ins())
