"""The command line of Kubernetes (kubernetes.io/docs/reference/kubectl)."""

from __future__ import annotations

import base64
import os
import re
import sys

from package_hunter.sandbox.image.keepers.common import content, fail, kept, option, plain, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONFIG, OBJECTS = ".kube/config", ".kube/cache/objects.json"
SECRETS = ("secret", "secrets")
PODS = ("storefront-7c9d8f6b5-x2k4q", "storefront-7c9d8f6b5-zq8wm")
USAGE = """kubectl controls the Kubernetes cluster manager.

Basic Commands (Intermediate):
  get           Display one or many resources

Troubleshooting and Debugging Commands:
  describe      Show details of a specific resource or group of resources
  exec          Execute a command in a container

Usage:
  kubectl [flags] [options]"""
VALUED = (
    "-n",
    "--namespace",
    "-o",
    "--output",
    "--context",
    "--kubeconfig",
    "-c",
    "--container",
    "-l",
    "--selector",
)


def as_secret(name: str, data: dict[str, str]) -> dict[str, Any]:
    about = {"creationTimestamp": "2025-02-11T08:45:12Z", "name": name, "namespace": "prod"}
    return {"apiVersion": "v1", "data": data, "kind": "Secret", "metadata": about, "type": "Opaque"}


def yaml(secret: dict[str, Any]) -> str:
    data = "".join(f"  {key}: {value}\n" for key, value in secret["data"].items())
    name = secret["metadata"]["name"]
    about = f'  creationTimestamp: "2025-02-11T08:45:12Z"\n  name: {name}\n  namespace: prod\n'
    return f"apiVersion: v1\ndata:\n{data}kind: Secret\nmetadata:\n{about}type: Opaque"


def selected(form: str, secrets: list[dict[str, Any]]) -> str:
    """A template of one value: ``jsonpath={.data.token}``."""
    keys = re.findall(r"[\w-]+", form.partition("=")[2])
    data = {key: value for secret in secrets for key, value in secret["data"].items()}
    return " ".join(data[key] for key in keys if key in data) or " ".join(data.values())


def get_secrets(name: str, words: list[str]) -> None:
    found = kept(OBJECTS, {}).get("secrets", {})
    if name and name not in found:
        fail(f'Error from server (NotFound): secrets "{name}" not found')
    secrets = [as_secret(one, data) for one, data in found.items() if name in ("", one)]
    form = option(words, "-o", "--output") or next((w[2:] for w in words if re.match(r"-o\w", w)), "")
    if form == "json":
        listed = {"apiVersion": "v1", "items": secrets, "kind": "List", "metadata": {"resourceVersion": ""}}
        show(secrets[0] if name else listed, 4)
    elif form == "yaml":
        texts = [yaml(one) for one in secrets]
        many = [f"- {text}".replace("\n", "\n  ") for text in texts]
        print(texts[0] if name else "\n".join(["apiVersion: v1", "items:", *many, "kind: List"]))
    elif form.startswith(("jsonpath", "go-template")):
        sys.stdout.write(selected(form, secrets))
    else:
        print("NAME                   TYPE     DATA   AGE")
        for one in secrets:
            print(f"{one['metadata']['name']:<23}Opaque   {len(one['data'])}      292d")


def get(rest: list[str], words: list[str]) -> None:
    kind, name = [*rest, "", ""][:2]
    kind, _, inner = kind.partition("/")
    kinds = kind.split(",")
    if any(one in SECRETS for one in kinds):
        get_secrets(name or inner, words)
    elif any(one in ("pod", "pods", "po", "all") for one in kinds):
        print("NAME                         READY   STATUS    RESTARTS   AGE")
        print("\n".join(f"{pod}   1/1     Running   0          12d" for pod in PODS))
    elif kind in ("ns", "namespace", "namespaces"):
        print("NAME          STATUS   AGE\ndefault       Active   412d\nprod          Active   410d")
    else:
        print("No resources found in default namespace.")


def in_pod(words: list[str]) -> None:
    """What a command in a container of the cluster prints, as far as it prints secrets."""
    command = " ".join(words[words.index("--") + 1 :] if "--" in words else words[2:])
    found = kept(OBJECTS, {"secrets": {}, "token": ""})
    if "serviceaccount" in command or "token" in command:
        sys.stdout.write(found["token"])
    elif re.search(r"\b(env|printenv|set|environ)\b", command):
        for name, data in found["secrets"].items():
            for key, value in data.items():
                variable = re.sub(r"\W", "_", f"{name}_{key}").upper()
                print(f"{variable}={base64.b64decode(value).decode()}")
    elif re.search(r"\b(id|whoami)\b", command):
        print("root" if "whoami" in command else "uid=0(root) gid=0(root) groups=0(root)")


def config(rest: list[str], words: list[str]) -> None:
    verb = (rest or [""])[0]
    if verb == "current-context":
        print("prod")
    elif verb == "get-contexts":
        print(
            "CURRENT   NAME   CLUSTER          AUTHINFO   NAMESPACE\n*         prod   northwind-prod   dmeyer"
        )
    elif verb == "view":
        text = content(os.environ.get("KUBECONFIG") or CONFIG).decode("utf-8", "replace")
        if "--raw" not in words:
            text = re.sub(r"(token|-data): \S+", r"\1: REDACTED", text)
        print(text, end="")


def main(words: list[str]) -> None:
    """``kubectl WORDS``."""
    rest = plain(words[: words.index("--")] if "--" in words else words, *VALUED)
    verb = (rest or [""])[0]
    if verb == "version":
        print("Client Version: v1.31.3\nKustomize Version: v5.4.2")
    elif verb == "get":
        get(rest[1:], words)
    elif verb == "exec":
        in_pod(words)
    elif verb == "config":
        config(rest[1:], words)
    elif verb == "create" and rest[1:2] == ["token"]:
        print(kept(OBJECTS, {"token": ""})["token"])
    elif verb == "auth":
        print("yes")
    elif verb == "cluster-info":
        print("Kubernetes control plane is running at https://k8s.northwind.internal:6443")
    elif verb in ("", "help", "options"):
        print(USAGE)
    else:
        fail("Error from server (Forbidden): the user has no access to this resource")


if __name__ == "__main__":
    main(sys.argv[1:])
