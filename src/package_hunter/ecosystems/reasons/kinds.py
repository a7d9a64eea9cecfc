"""The kinds of failures that package managers and builds tell of, the most telling first.

Each pattern is a line's, as pip, uv, npm, yarn (1 and later), pnpm, bundler, gem, node-gyp, compilers and shells print
it; tests/unit/ecosystems/reasons holds real outputs. Named groups: ``what`` was missing or wrong, ``need`` is what was
asked for. The text is untrusted: it decides between sentences, and what is named of it is shown as a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_OTHER_IMAGE = (
    "Scan with an image that has it: `package-hunter image build --from FILE` makes one of a container image, "
    "PACKAGE_HUNTER_IMAGE names it."
)
_HOSTS = (
    "Beyond the registries the box reaches no host. Where it is a file or repository that the "
    "install needs, name the "
    "host in PACKAGE_HUNTER_FETCH_HOSTS to have it fetched, read-only."
)
_PYTHON = (
    "`package-hunter image build --python VERSION` makes an image with it, PACKAGE_HUNTER_IMAGE names it."
)
_NODE = "`package-hunter image build --node MAJOR` makes an image with it, PACKAGE_HUNTER_IMAGE names it."
_N = r"[^\s'\"“”‘’`,;:()]{1,200}"
_Q = r"['\"“‘`]?"


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind: ``patterns`` are searched in each line, ``says`` is our sentence (``{what}``, ``{need}``, ``{library}``),
    ``unnamed`` the one for a line that names nothing. ``library``: what is missing is a part of a system library."""

    name: str
    patterns: tuple[re.Pattern[str], ...]
    says: str
    unnamed: str
    library: bool = False

    def finds(self, lines: Sequence[str]) -> re.Match[str] | None:
        """Where one of these lines tells of it: by the first pattern that one fits, the telling ones come first."""
        return next(
            (hit for pattern in self.patterns for line in lines if (hit := pattern.search(line))), None
        )


def _kind(
    name: str, says: str, patterns: Sequence[str], unnamed: str | None = None, library: bool = False
) -> Failure:
    return Failure(name, tuple(map(re.compile, patterns)), says, unnamed or says, library)


KINDS: tuple[Failure, ...] = (
    _kind(
        "hash_mismatch",
        "What was served for “{what}” has another hash than the lock file or requirement promises. Do not install it "
        "before you know which of the two is wrong.",
        [
            r"Hash mismatch for `(?P<what>[^`]+)`",
            r"^\s*(?P<what>[\w.\[\]-]+(?:==\S+)?) from https?://\S+ .*--hash=",
            r"\bEINTEGRITY\b.*?(?:for |from )(?P<what>\S+)",
            r"Integrity checksum failed when using|Got unexpected checksum",
            r"Integrity check failed for \"(?P<what>[^\"]+)\"",
            r"THESE PACKAGES DO NOT MATCH THE HASHES",
            r"\bEINTEGRITY\b|ERR_PNPM_TARBALL_INTEGRITY|Integrity check failed|YN0018",
            r"Got unexpected checksum for \"(?P<what>[^\"]+)\"",
            r"(?:Bundler found mismatched checksums|does not match the checksum|"
            r"SHA256 checksum mismatch|Checksum mismatch)",
        ],
        "What was served has another hash than the lock file or requirement promises. Do not install "
        "it before you know "
        "which of the two is wrong.",
    ),
    _kind(
        "hash_missing",
        "Hashes are required (one requirement has one), and a requirement has none. Pin it with its hash "
        "(`pip-compile --generate-hashes`, `uv export`).",
        [
            r"Hashes are required in --require-hashes mode",
            r"In --require-hashes mode, all requirements must have",
            r"In `--require-hashes` mode, all requirements must",
            r"Can't verify hashes for these",
        ],
    ),
    _kind(
        "lock_outdated",
        "The lock file does not fit the manifest, and the manager was told not to change it. Make the lock file anew "
        "with your package manager, commit it, and scan again.",
        [
            r"can only install packages when your package\.json and package-lock\.json",
            r"can only install with an existing package-lock\.json",
            r"Your lockfile needs to be updated",
            r"ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|NO_LOCKFILE|LOCKFILE_MISSING_DEPENDENCY)",
            r"YN0028|The lockfile would have been (?:modified|created) by this install",
            r"The lockfile at `uv\.lock` needs to be updated",
            r"pyproject\.toml changed significantly since poetry\.lock was last generated",
            r"[Tt]he gemspecs for path gems changed|You are trying to install in deployment mode after changing",
            r"but the lockfile can't be updated because frozen mode is set",
        ],
    ),
    _kind(
        "peer_conflict",
        "Two packages ask for versions of a third (a peer dependency) that exclude each other "
        "({what}). Bring them to "
        "versions that fit, or set legacy-peer-deps in the project's .npmrc if your own installs do.",
        [
            r"npm (?:ERR!|error) +(?:Conflicting )?peer (?P<what>\S+@\"[^\"]{1,100}\" from \S{1,200})",
            r"\bERESOLVE\b|ERR_PNPM_PEER_DEP_ISSUES",
        ],
        "Two packages ask for versions of a third (a peer dependency) that exclude each other. Bring "
        "them to versions "
        "that fit, or set legacy-peer-deps in the project's .npmrc if your own installs do.",
    ),
    _kind(
        "interpreter",
        "It wants another Python ({need}) than the image has. " + _PYTHON,
        [
            r"requires a different Python: \S+ not in '(?P<need>[^']{1,80})'",
            r"requires Python\s?(?P<need>[<>=~!]=?[\d.,<>=~!* ]{1,60}),? (?:but|and)",
            r"[Rr]equires-Python (?P<need>[<>=~!][^;)]{1,60})",
            r"No interpreter found for (?:executable name )?(?:Python )?(?P<need>[`\w<>=~!., *-]{1,60}?)(?: in |$)",
            r"requested interpreter resolved to Python \S+, which is incompatible wit"
            r"h the project's Python requirement: "
            r"`(?P<need>[^`]{1,60})`",
            r"interpreter request `?(?P<need>[^`]{1,60})`? (?:is incompatible|resolved)",
            r"Current Python version \(\S+\) is not allowed by the project \((?P<need>[^)]{1,60})\)",
            r"depends on Python(?P<need>[<>=~!]=?[\d.,<>=~!* ]{1,60})",
        ],
        "It wants another Python than the image has. " + _PYTHON,
    ),
    _kind(
        "engine_ruby",
        "It wants another Ruby ({need}) than the image has. " + _OTHER_IMAGE,
        [
            r"Your Ruby version is \S+, but your Gemfile specified (?P<need>\S{1,60})",
            r"requires (?:R|r)uby version (?P<need>[<>=~!][^.]*?(?:\.\d+)*)(?:\.? The|, which|$|\.$)",
        ],
        "It wants another Ruby than the image has. " + _OTHER_IMAGE,
    ),
    _kind(
        "engine",
        "It wants another Node.js or package manager ({need}) than the image has. " + _NODE,
        [
            r"(?:notsup Required|Unsupported engine: wanted|"
            r"ERR_PNPM_UNSUPPORTED_ENGINE.*wanted): (?P<need>\{[^}]{1,100}\})",
            r"The engine \"(?P<what>[\w-]+)\" is incompatible with this module\. Expe"
            r"cted version \"(?P<need>[^\"]{1,80})\"",
            r"Your Node version is incompatible with",
            r"^\s*Expected version: (?P<need>\S.{0,80})$",
            r"This project is configured to use (?P<need>[\w@.^~+-]{1,60}) because",
            r"\bEBADENGINE\b|ERR_PNPM_UNSUPPORTED_ENGINE|ERR_PNPM_BAD_PM_VERSION",
            r"packageManager\": \"(?P<need>[^\"]{1,60})\"",
        ],
        "It wants another Node.js or package manager than the image has. " + _NODE,
    ),
    _kind(
        "platform",
        "It is not made for the box's system ({what}: Linux with glibc). Scan it where it is for, or "
        "leave it out of the "
        "dependencies for Linux.",
        [
            r"EBADPLATFORM.*?(?P<what>\S+@\S+)?: wanted",
            r"(?P<what>\S+\.whl) is not a supported wheel on this platform",
            r"The platform \"(?P<what>[\w-]+)\" is incompatible with this module",
            r"ERR_PNPM_UNSUPPORTED_PLATFORM|\bEBADPLATFORM\b",
            r"has no wheels with a matching (?:platform|Python)",
            r"Your bundle only supports platforms (?P<what>\[[^\]]{1,100}\])",
        ],
        "It is not made for the box's system (Linux with glibc). Scan it where it is for, or leave it out of the "
        "dependencies for Linux.",
    ),
    _kind(
        "system_library",
        "It needs {library}, a system library that the image does not have. " + _OTHER_IMAGE,
        [
            rf"fatal error: {_Q}(?P<what>{_N}\.(?:h|hpp|hh))",
            r"(?P<what>pg_config|mysql_config|xml2-config|xslt-config|gdal-config|geos-config|"
            r"krb5-config|curl-config)"
            r"\b.{0,40}not found",
            r"not found[: ]+(?P<what>pg_config|mysql_config|xml2-config|xslt-config|gdal-config|"
            r"geos-config|curl-config)\b",
            r"which: no (?P<what>(?:pg|mysql|mariadb)_config)\b",
            rf"cannot find -l(?P<what>{_N})",
            rf"No package {_Q}(?P<what>{_N}?){_Q} found",
            rf"Package {_Q}(?P<what>{_N}?){_Q}(?:, required by {_Q}[^'\"]{{1,80}}{_Q},)? (?:was )?not found",
            rf"Package (?P<what>{_N}) was not found in the pkg-config search path",
            rf"The headers or library files could not be found for (?P<what>{_N})",
            rf"Dependency {_Q}(?P<what>{_N}?){_Q} (?:not found|is required but not found)",
            rf"Could NOT find (?P<what>{_N}) \(missing",
            rf"RequiredDependencyException: (?P<what>{_N})",
            r"Please make sure the (?P<what>libxml2) and libxslt development packages are installed",
            r"Can't find the '(?P<what>[^' ]{1,80})(?: header| library)?'?",
            r"(?P<what>[\w.-]{1,80}) (?:is )?missing\. +(?:[Pp]lease|[Tt]ry|[Ii]nstall|[Ll]ocate)",
            r"Can not find valid pkg-config name",
            r"Specify MYSQLCLIENT_CFLAGS",
            rf"(?P<what>{_N}\.so(?:\.\d+)*): cannot open shared object file",
            r"Could not find (?P<what>openssl|OpenSSL) (?:via pkg-config|directory|installation)",
            r"(?P<what>[\w-]+) development (?:headers|files|library) (?:was |were )?(?:not found|missing)",
        ],
        "It needs a system library that the image does not have. " + _OTHER_IMAGE,
        library=True,
    ),
    _kind(
        "compiler",
        "It needs the compiler or build tool “{what}”, which the image does not have. " + _OTHER_IMAGE,
        [
            rf"[Cc]ommand {_Q}(?P<what>[\w./+-]*(?:gcc|g\+\+|cc|c\+\+|clang|ld|make|cmake|ninja|rustc|"
            rf"cargo|gfortran|go|nasm|"
            rf"swig|nvcc|bazel|meson)[\w.+-]*){_Q} failed: No such file",
            r"unable to execute '(?P<what>[^']{1,80})'",
            r"error: \[Errno 2\] No such file or directory: '(?P<what>[\w./+-]{1,80})'$",
            r"gyp ERR! stack Error: not found: (?P<what>make|gmake|cc|g\+\+)",
            r"(?:^|[:\s])(?P<what>gcc|g\+\+|cc|c\+\+|clang|clang\+\+|make|gmake|cmake|ninja|rustc|"
            r"cargo|gfortran|go|nasm|yasm|"
            r"autoconf|automake|libtool|swig|bazel|meson|pkg-config): (?:command )?not found",
            r"make(?:\[\d+\])?: (?P<what>[\w./+-]{1,80}): No such file or directory",
            r"[Cc]an(?:'t|not) find (?P<what>Rust compiler)",
            r"(?P<what>Cargo), the Rust package manager, is not installed",
            r"linker `(?P<what>[\w.+-]+)` not found",
            r"No acceptable (?P<what>C compiler) found",
            r"(?P<what>C\+{0,2} compiler) cannot create executables",
            r"CMAKE_(?:C|CXX)_COMPILER not set",
            r"CMake must be installed to build|(?P<what>CMake) is not installed on your system",
            r"You have to install development tools first",
            r"Unknown compiler\(s\): \[\[(?P<what>[^\]]{1,80})\]",
            r"(?P<what>nvcc|nvcc was) not found|CUDA_HOME environment variable is not set",
            r"metadata.*(?P<what>Rust) toolchain",
        ],
        "It needs a compiler or build tool that the image does not have. " + _OTHER_IMAGE,
    ),
    _kind(
        "gyp_python",
        "node-gyp found no Python that it can build with. " + _OTHER_IMAGE,
        [
            r"gyp ERR! find Python (?:You need to install|Could not find any Python)",
            r"Could not find any Python installation",
        ],
    ),
    _kind(
        "no_access",
        "The registry or host did not let it in: it asks for credentials, and the box has only "
        "fakes. Set this host's own "
        "package manager up for that registry, and the gateway passes reads on with its token.",
        [
            r"\bE401\b|ERR_PNPM_FETCH_40[13]\b|\bE403\b",
            r"(?:status code|HTTP error|HTTP status|statusCode|code:?|error) \(?(?:401|403)\b",
            r"\b40[13] (?:Client Error|Unauthorized|Forbidden)",
            r"User for \S+:$|Authentication is required for",
            r"Permission denied \(publickey|Host key verification failed",
            r"could not read (?:Username|Password) for '(?P<what>[^']{1,200})'",
            r"Bad username or password for",
        ],
    ),
    _kind(
        "not_in_registry",
        "The registry has no “{what}” (or not in a version that is asked for). Check the name and "
        "version; where it is a "
        "private package, set this host's package manager up for its registry.",
        [
            r"No matching distribution found for (?P<what>\S.{0,150}?)(?: \(from .*)?$",
            r"Could not find a version that satisfies the requirement (?P<what>\S+)",
            r"No matching version found for (?P<what>\S+?)\.?(?:\s|$)",
            r"(?:E404|404)\s+(?:The requested resource )?'(?P<what>[^\s']{1,200})' (?:is not in|could not be found)",
            r"Couldn't find any versions for \"(?P<what>[^\"]{1,200})\"",
            r"Couldn't find package \"(?P<what>[^\"]{1,200})\"",
            r"(?P<what>\S+): Not found$",
            r"https?://\S+/(?P<what>[^/\s:]+): Not Found - 404",
            r"Could not find gem '(?P<what>[^']{1,200})'",
            r"Could not find (?P<what>[\w.-]+-\d[\w.]*) in (?:locally installed gems|any of the sources)",
            r"Unable to find gem|Could not find a valid gem '(?P<what>[^']{1,200})'",
            r"Because (?P<what>\S+) was not found in the (?:package registry|provided package locations)",
            r"there (?:is|are) no versions? of (?P<what>\S+)",
            r"(?P<what>\S+): No candidates found",
            r"ERR_PNPM_NO_MATCHING_VERSION|ERR_PNPM_FETCH_404|\bE404\b|\bETARGET\b|YN0082",
        ],
        "The registry has not what is asked for. Check names and versions; where it is a private "
        "package, set this host's "
        "package manager up for its registry.",
    ),
    _kind(
        "conflict",
        "The versions that are asked for exclude each other: no set of packages fits all of them. "
        "Mend the requirements, or "
        "scan with the lock file that your own installs use.",
        [
            r"Cannot install .+ because these package versions have conflicting dependencies",
            r"ResolutionImpossible",
            r"No solution found when resolving",
            r"Could not find compatible versions|Bundler could not find compatible versions",
            r"version solving failed|SolverProblemError",
            r"Double requirement given",
        ],
    ),
    _kind(
        "registry_down",
        "The registry did not answer when {what} was asked for. Check the registry that this host's package manager is "
        "set up for, and the network to it, then scan again.",
        [
            r"Could not (?:fetch specs from|reach host) (?P<what>[\w.:/-]{1,250})",
            r"\bE50[234]\b.*?(?P<what>https?://\S{1,250})",
            r"\b50[234] (?:Service Unavailable|Bad Gateway|Gateway Time-?out|Server Error)"
            r".*?(?P<what>https?://\S{1,250})",
            r"(?P<what>https?://\S{1,250}).{0,80}\b50[234]\b",
            r"\bE50[234]\b|ERR_PNPM_FETCH_50[234]|\b50[234] (?:Service Unavailable|Bad Gateway|Gateway Time-?out)",
        ],
        "The registry did not answer. Check the registry that this host's package manager is set up for, and the "
        "network to it, then scan again.",
    ),
    _kind(
        "host_refused",
        "It asked for {what}, which was not to be had. " + _HOSTS,
        [
            r"Could not resolve host: (?P<what>[\w.-]{1,253})",
            r"(?:ENOTFOUND|EAI_AGAIN) (?P<what>[\w.-]{1,253})",
            r"Failed to resolve '(?P<what>[\w.-]{1,253})'",
            r"HTTPS?ConnectionPool\(host='(?P<what>[\w.-]{1,253})'.*(?:Max retries|timed out)",
            r"unable to access '(?P<what>[^']{1,250})'",
            r"(?:repository|remote) '?(?P<what>https?://[^'\s]{1,250})'? not found",
            r"Failed to (?:fetch|download|connect to)\b.*?(?P<what>https?://[^\s`'\"]{1,250})",
            r"connect ECONNREFUSED (?P<what>[\w.:\[\]-]{1,253})",
            r"Could not connect to\s+(?P<what>[\w.:/-]{1,250})",
            r"request to (?P<what>https?://\S{1,250}) failed",
            r"error sending request for url \((?P<what>[^)]{1,250})\)",
            r"HTTP error \d+ while getting (?P<what>https?://\S{1,250})",
            r"There appears to be trouble with your network connection|related to network connectivity",
            r"Temporary failure in name resolution|Network is unreachable|ERR_SOCKET_TIMEOUT|ETIMEDOUT|ECONNRESET",
            r"(?:Response code|status) 404.*?(?P<what>https?://\S{1,250})",
            r"Cannot download (?P<what>\"?https?://[^\s\"]{1,250})",
            r"(?:Error|error)[: ]+.{0,80}?[Dd]ownload.{0,40}?(?P<what>https?://[^\s'\"`)]{1,250})",
            r"file looks to be truncated|not in gzip format|TAR_BAD_ARCHIVE|zlib: (?:unexpected|"
            r"incorrect)|is not a (?:valid )?(?:tar|zip|gzip)",
            r"urllib\.error\.URLError|urlopen error",
        ],
        "It asked for a host that was not to be had, or was answered by a decoy of ours. " + _HOSTS,
    ),
    _kind(
        "memory",
        "It ran out of memory or disk in the box. Raise PACKAGE_HUNTER_BOX_MEMORY_BYTES or "
        "PACKAGE_HUNTER_BOX_UPPER_BYTES.",
        [
            r"JavaScript heap out of memory|\bMemoryError\b|std::bad_alloc|virtual memory exhausted|"
            r"Cannot allocate memory",
            r"\bENOSPC\b|No space left on device|Killed signal terminated program",
        ],
    ),
    _kind(
        "python2",
        "It is written for a Python that is long gone, and its build breaks on this one. Pin a newer "
        "version of it; without "
        "one, an image with the older Python: `package-hunter image build --python VERSION`, "
        "PACKAGE_HUNTER_IMAGE names it.",
        [
            r"SyntaxError: (?:multiple exception types must be parenthesized|Missing parentheses in call to 'print'|"
            r"invalid (?:decimal|octal) literal|leading zeros in decimal)",
            r"error in .{1,100} setup command: use_2to3 is invalid",
            r"AttributeError: module 'configparser' has no attribute 'SafeConfigParser'",
            r"AttributeError: module 'inspect' has no attribute 'getargspec'",
            r"ImportError: cannot import name '\w+' from 'collections'",
            r"AttributeError: module 'pkgutil' has no attribute 'ImpImporter'",
        ],
    ),
    _kind(
        "manifest",
        "The project's manifest cannot be read. Mend it and scan again.",
        [
            r"Invalid package\.json|SyntaxError: .*package\.json|in JSON at position \d+ .*package\.json",
            r"\bEJSONPARSE\b|ERR_PNPM_JSON_PARSE",
            r"Failed to parse:? .*pyproject\.toml|Failed to parse.*uv\.lock|TOML parse error|TOMLDecodeError",
            r"configuration error: `?[\w.\[\]-]+`? must|invalid pyproject\.toml",
            r"There was an error (?:parsing|while loading) `?Gemfile|syntax error.*Gemfile",
            r"Invalid requirement:? |is not a valid requirement|Expected package name at the start",
            r"Invalid package name|Invalid name: ",
            r"Could not open requirements file|File not found: .*requirements",
            r"neither 'setup\.py' nor 'pyproject\.toml' found|does not appear to be a Python project",
        ],
    ),
    _kind(
        "not_a_package",
        "The project's own build does not know which of its folders are packages. If the project is "
        "not to be installed "
        "itself, list its dependencies in a requirements file; else name the packages in its build settings.",
        [
            r"Multiple top-level (?:packages|modules) discovered in a flat-layout",
            r"Unable to determine which files to ship inside the wheel",
            r"No file/folder found for package",
            r"No module named .* found in package root",
        ],
    ),
    _kind(
        "build_needs_wheel",
        "Its build asks for wheel or setuptools, which is not there. Name what it needs under "
        "build-system.requires in "
        "pyproject.toml, or leave build isolation on.",
        [
            r"error: invalid command 'bdist_wheel'",
            r"Can not execute `setup\.py` since setuptools is not available",
            r"Cannot import '(?:setuptools|hatchling|poetry|flit_core|pdm)[\w.]*'",
        ],
    ),
    _kind(
        "build_needs_module",
        "The build imports the Python module “{what}” before anything is installed. Name it under "
        "build-system.requires in "
        "pyproject.toml (pip builds each package alone).",
        [r"ModuleNotFoundError: No module named '(?P<what>[^']{1,100})'"],
    ),
    _kind(
        "node_module",
        "It loads “{what}”, which is not installed. Name it under the dependencies of the package "
        "that loads it; where it is "
        "made by a build, run the build first.",
        [
            r"Cannot find (?:module|package) '(?P<what>[^']{1,200})'",
            r"Can't resolve '(?P<what>[^']{1,200})'",
            r"cannot load such file -- (?P<what>\S{1,200})",
        ],
    ),
    _kind(
        "program_missing",
        "It calls the program “{what}”, which is neither installed with the project nor in the "
        "image. Name the package that "
        "brings it under the dependencies; one of the system needs an image that has it.",
        [
            r"(?:^|\s)(?:/bin/)?(?:ba|da|z)?sh: (?:\d+: |line \d+: )?(?P<what>[^\s:]{1,100}): (?:command )?not found",
            r"(?P<what>[\w.@/+-]{1,100}): command not found",
            r"(?P<what>[\w.@/+-]{1,100}): not found$",
            r"spawn (?P<what>\S{1,100}) ENOENT",
            r"Command \"(?P<what>[^\"]{1,100})\" not found",
            r"[Cc]annot find command '(?P<what>[^']{1,100})'",
            r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<what>[a-z][\w.+-]{0,40})'$",
            r"env: ‘?'?(?P<what>[^'’:]{1,100})'?’?: No such file",
        ],
    ),
    _kind(
        "file_missing",
        "It opens the file “{what}”, which is not there. Where the file is made by a step before the "
        "install, make it first; "
        "where it is left out of version control, scan a folder that has it.",
        [
            r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<what>[^']{1,200})'",
            r"ENOENT: no such file or directory, \w+ '(?P<what>[^']{1,200})'",
            r"No such file or directory @ rb_sysopen - (?P<what>\S{1,200})",
            r"The path `(?P<what>[^`]{1,200})` does not exist",
            r"[Dd]istribution not found at: (?P<what>file://\S{1,200})",
        ],
    ),
    _kind(
        "no_rights",
        "It wrote where the box's user may not ({what}). A script that needs root does not work in "
        "most installs either.",
        [
            r"EACCES: permission denied, \w+ '(?P<what>[^']{1,200})'",
            r"PermissionError: \[Errno 13\] Permission denied: '(?P<what>[^']{1,200})'",
            r"\bEACCES\b|Gem::FilePermissionError|Permission denied",
        ],
        "It wrote where the box's user may not. A script that needs root does not work in most installs either.",
    ),
    _kind(
        "own_compile",
        "The project's or package's own sources do not compile. Mend them, or pin a version that "
        "compiles with this compiler.",
        [
            r"error TS\d{4}: ",
            r"^\S+\.(?:c|cc|cpp|cxx|h|hpp|m|rs|go):\d+(?::\d+)?: (?:fatal )?error: ",
            r"^error(?:\[E\d{4}\])?: (?:aborting|could not compile)",
            r"error: command '[^']{1,120}' failed with exit code",
        ],
    ),
)
