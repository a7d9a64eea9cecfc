"""Settings, from the environment (``PACKAGE_HUNTER_*``) and defaults; sizes in bytes, times in seconds."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data_dir() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/package-hunter")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "package-hunter"


class Settings(BaseSettings):
    """Every limit and place that a user may change."""

    model_config = SettingsConfigDict(env_prefix="PACKAGE_HUNTER_", extra="ignore")

    data_dir: Path = Field(default_factory=_default_data_dir)
    development: bool = False

    # how far scans look (model.depth); None: standard for packages and on servers, else quick
    depth: Literal["quick", "standard", "deep"] | None = None

    # intake: what an archive may hold
    max_archive_bytes: int = 1 << 30
    max_unpacked_bytes: int = 2 << 30
    max_files: int = 200_000
    max_depth: int = 64
    max_name_bytes: int = 255
    max_path_bytes: int = 4096

    # sandbox
    image: str = ""  # of the box: a name in DATA_DIR/image or a path; empty: the default image
    box_memory_bytes: int = 3 << 30
    box_upper_bytes: int = 2 << 30
    box_upper_inodes: int = 400_000
    box_pids: int = 1024
    box_cpus: float = 2.0
    scan_timeout: float = 600.0
    phase_timeout: float = 300.0
    settle_seconds: float = 30.0  # for what still runs at the end; no wait where nothing does
    hurry_seconds: float = 25.0  # real ones, in which hurried time passes; 0: no time is hurried

    # sensor
    ring_bytes: int = 8 << 20
    max_alerts: int = 10_000
    max_records: int = 100_000

    # what watches: our own probe, or a Falco that runs here (docs/falco.md)
    engine: Literal["probe", "falco"] = "probe"
    falco_wait: float = 15.0  # for Falco to report the mark that a scan begins with
    falco: str | None = (
        None  # http://127.0.0.1:PORT/TOKEN for its http_output, or a path that it writes lines to
    )

    # gateway
    cache_bytes: int = 5 << 30
    max_body_bytes: int = 64 << 10
    max_connections: int = 2_000
    max_gateway_records: int = 20_000
    offline: bool = False
    fetch_hosts: str = ""  # comma separated: hosts whose files are fetched truly (git too), read-only

    # artefacts: archives, reports, recordings, dropped files (docs/storage.md)
    artefacts_url: str | None = None  # None: files under data_dir; or s3://BUCKET/PREFIX, gs://…, az://…
    artefacts_endpoint: str | None = None  # of an S3 that is not Amazon's: https://HOST:PORT
    artefacts_key_file: Path | None = None  # 32 bytes as hex a line, the first seals; None: not encrypted
    artefacts_seconds: float = 30.0  # for one answer of the object store
    artefacts_grace_seconds: float = 86_400.0  # so long what nothing refers to is left where it lies
    archive_days: float = 0.0  # so long an archive is kept after its scan; 0: not at all

    # retention (docs/storage.md), of each project; 0: no limit
    retention_days: int = 730  # since a scan ended
    retention_scans: int = 100_000
    retention_bytes: int = 50 << 30  # of artefacts

    # server and worker
    database_url: str | None = None  # None: SQLite under data_dir; or postgresql://...
    server_user: str = "package-hunter"  # the API process drops to it when started as root
    server_uid: int = 64990  # uid and gid where that user does not exist
    workers: int = 1  # scans at the same time
    lease_seconds: float = 60.0  # a worker silent for so long has lost its scan
    drain_seconds: float = 5.0  # after SIGTERM: what a worker runs then goes on so long, and is given back
    max_attempts: int = 3  # a scan whose worker died so often has failed
    max_helper_kills: int = 10  # a scan whose helpers were killed from outside so often has failed
    max_running_per_project: int = 0  # scans of one project at the same time; 0: any number
    dead_letter_seconds: float = 7 * 86_400.0  # so long the archive of a scan that failed through us is kept
    clock_seconds: float = 20.0  # between looks at what is due: schedules, acceptances that end
    max_pending_scans: int = 1_000
    max_uploads: int = 32  # archives being received at the same time
    upload_stall_seconds: float = 30.0
    min_upload_rate: int = 1_024  # bytes a second, on average after the first minute
    min_free_bytes: int = 1 << 30  # disk space that uploads leave free
    submissions_per_minute: int = 120  # by one account
    requests_per_minute: int = 60_000  # that read, by one account
    changes_per_minute: int = 1_200  # requests that change something, by one account
    failed_logins_per_minute: int = 30  # from one address
    credential_cache_seconds: float = 60.0
    session_idle_seconds: float = 3_600.0  # a session that is not used for so long ends
    session_seconds: float = 43_200.0  # any session ends after so long
    public_url: str = ""  # how browsers reach the server: https://hunter.example
    queue_stalled_seconds: float = 900.0  # waiting so long without any worker alive: no more is taken
    policy_file: Path | None = None  # the server's policy (docs/verdicts.md); None: the default
    result_cache_seconds: float = 86_400.0  # so long a result stands for the same; 0: never
    recordings_bytes: int = 0  # of recordings of a server's scans, the newest; 0: none is kept
    dropped_files: int = 50  # of a scan that found something, which packages left in the box; 0: none is kept
    dropped_file_bytes: int = 4 << 20  # of one of them; a larger one is not kept
    dropped_bytes: int = 32 << 20  # of those of a scan together
    impact_seconds: float = 20.0  # of looking at what a proposed change would do to what was scanned
    trusted_proxies: str = ""  # addresses whose X-Forwarded-For counts, comma separated

    # identity providers (docs/identity.md)
    identity_allow: str = ""  # networks that they may have addresses of although not public, comma separated

    # notices (docs/notices.md)
    notices_allow: str = ""  # networks that notices may go to although they are not public, comma separated
    smtp_url: str | None = None  # smtp://USER@HOST:587 (STARTTLS), smtps://HOST, smtp+plain://HOST
    smtp_password_file: Path | None = None
    mail_from: str | None = None  # the address that mail comes from

    # gate (docs/gate.md)
    forges_file: Path | None = None  # the forges that this host fetches from and tells; None: none

    # watching (docs/watching.md)
    traces_url: str | None = (
        None  # OTLP over HTTP, .../v1/traces; None: as OTEL_EXPORTER_OTLP_* say, else no traces
    )
    drill_days: float = 7.0  # between two standing drills; 0: none
    drill_deadline_seconds: float = 1_800.0  # from a drill's submission until the gate must block

    # remote mode
    remote_timeout: float = 3_600.0  # how long to wait for a server's report

    @property
    def hosts_to_fetch(self) -> tuple[str, ...]:
        """``fetch_hosts`` one by one, in small letters."""
        return tuple(host.strip().lower() for host in self.fetch_hosts.split(",") if host.strip())


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
