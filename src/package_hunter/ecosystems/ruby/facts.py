"""What there is to know of bundler and gem."""

from __future__ import annotations

from package_hunter.model.ecosystem import BuiltIn, Facts

ONE_PLUGIN = "/usr/share/rubygems-integration/one_plugin.rb"  # ours: `gem` with one plugin, or with none

FACTS = Facts(
    name="gem",
    managers=("bundler", "gem", "ruby"),
    purl_type="gem",
    # Gem::Specification::VALID_NAME_PATTERN, with a letter; Gem::Version, with a platform behind it
    package_names=r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}",
    package_versions=r"\d[A-Za-z0-9_.-]{0,199}",
    manifests=("Gemfile",),
    pins=("Gemfile.lock", "Gemfile"),
    pin_lines=(r'gem "NAME"',),
    addressed=(r"gemfile(?:\.lock)?", r"gems\.(?:rb|locked)", r"[\w.-]+\.gemspec"),
    credential_files={".bundle/config": "bundler", ".gem/credentials": "gem"},
    settings=(".gemrc",),
    installed=("/gems/",),
    archives=(r"\.gem",),
    packed_by="*.gemspec",
    interpreters=("ruby",),
    driver=f"ruby {ONE_PLUGIN} - ",  # with no plugin: then nothing runs but gem itself
    starts=(r"ruby[\d.]* (?:-\S+ (?:/usr/\S+ )?)*extconf\.rb\b",),
    reads={
        "gem": ("/.gem/credentials", "/.gemrc"),
        "one_plugin.rb": ("/.gem/credentials", "/.gemrc"),
    },
    says_error=(r"^((?:Could not find|Bundler could not|Your bundle|Gem::|An error occurred).+)$",),
    says_not_found=(r"cannot load such file -- (\S{1,214})",),
    says_unknown=(r"Could not find gem",),
    says_unreachable=(r"Could not reach host",),
    built_in=(
        BuiltIn(
            ("usr/lib/ruby/*/rubygems/defaults.rb", "usr/local/lib/ruby/*/rubygems/defaults.rb"),
            r"def self\.default_sources\s+%w\[(https?://[^\s'\"\]]+)\]",
        ),
    ),
    index_hosts=("index.",),
    agents=(r"[Bb]undler/\d", r"Ruby, RubyGems/"),
    read_use="gem-registry",
    gitlab={"gem": "bundler", "bundler": "bundler"},
    osv="RubyGems",
)
