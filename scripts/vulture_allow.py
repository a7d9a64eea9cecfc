# ruff: noqa
"""What `vulture` takes for dead and is not: each name is used by something that it does not see. A name that only
tests use does not belong here, but is removed. See CONTRIBUTING.md."""

# package_hunter.cli.main names these as text; tests/unit/cli/test_main.py tries each
diff, doctor, simulate  # noqa: B018
# members of the options' enumerations that typer reads
_.FIRST, _.PROBE
# what report/templates/evidence reads of the components
_.hot, _.height, _.more_lookups, _.cut_marks, _.is_box
# fields of answers that pydantic writes out, or of documents that it reads
_.who_can_lift_it, _.how_to_ask, _.bomFormat, _.specVersion
_.not_shown, _.suspicious, _.no_findings, _.answer_seconds, _.decision_hours
# what web/templates/charts.html.j2 reads of a chart
_.bottom
# a field of statements that pydantic checks
_.predicate_type
# a column that is part of a key
_.condemned_id
# fields of answers that pydantic writes out
_.worker_seen_seconds, _.event_num, _.local_address, _.instance
# each exit code of docs/cli.md has its error
IncompleteScanError
# httpx, html.parser and uvicorn call these
_.handle_request
_.auth_flow, _.requires_response_body, _.handle_starttag, _.handle_endtag, _.handle_data
_.send_400_response, msg
# lark calls a method for each rule of the grammar
_.any_of, _.all_of, _.macro, _.transformer, _.tlist, _.val, _.compare_modified, _.compare_list
# settings of others' objects: tarfile, dnslib, uvicorn, re2, SQLite, requests
_.gname, _.uname, _.rcode, _.should_exit, _.isolation_level, _.trust_env
_.posix_syntax, _.longest_match, _.log_errors, _.max_mem, _.never_capture
# prometheus_client calls it
_.collect
# importlib calls it
_.exec_module
# codecs that must be loaded before a process is confined
encodings
# slots of a thread that fields read by the name of the slot
_.exe_mtime, _.exe_age, _.exe_pidns_age, _.exe_upper, _.exe_lower, _.exe_memfd
# the unpacker reads it out of JSON
_.cpu_seconds
# the probe's header (sensor/probe/shared.h), whole; tests/unit/sensor/test_layout.py compares both sides
_.CALL, _.FILE_FIRST, _.TASK_FIRST, _.watch_len, MAX_PROGRAMS, MAX_TABLES, SHARED
# the oracle that compiled rules are held against (docs/rules.md)
_.interpreted
# what the reader cost: benches print it
_.usage
# called by pydantic by name: the report's schema is made by them; a key that every report has
_.field_title_should_be_set, _.default_schema, _.nullable_schema, _.schema_version
# read by SQLAlchemy
_.cache_ok
# read by shlex, which has no other way to be told
_.whitespace_split, _.commenters
# called by asyncssh by name
(
    _.begin_auth,
    _.password_auth_supported,
    _.validate_password,
    _.public_key_auth_supported,
    _.validate_public_key,
)
(
    _.kbdint_auth_supported,
    _.get_kbdint_challenge,
    _.validate_kbdint_response,
    _.connection_requested,
    _.eof_received,
)
_.open56, _.posix_rename
_.setstat, _.lsetstat, _.fsetstat, _.fstatvfs, _.unlock
lang, submethods, dest_host, dest_port, orig_host, orig_port, datatype, desired_access
# read by h2 and by asyncio, which offer no other way
_.max_concurrent_streams, _.max_header_list_size, _._transport, _._over_ssl
# what a sealed file holds: tests unpack it as a thief would
_.unseal
# sent by pydantic: part of an answer of the API
_.needs_proposal
# what a policy's text may say, read by value
_.MERGE_REQUEST, _.NEW_VERSION
# members of an enumeration that typer and pydantic read by their values
_.PRODUCTION, _.DEADLINE, _.RISK
# fields of answers that pydantic writes out
_.flipped, _.would_flip
# called by io.BufferedReader
_.readinto
# the port of the queue, for the worker that ends a box and for the API
_.end_cancelled, _.rerun
# the deletion of a scan, for the API
_.delete_scan, _.by_force
# read by alembic's table of it
_.revision
# of the problem document that pydantic writes out
_.instance
# tables that the queue's own SQL reads (queue/fair.py)
_.TurnRow, _.ProjectTurnRow
# fields of answers that pydantic writes out, for pages and programs
_.more_findings, _.more_packages, _.waits_for_you, _.waits_for, _.explained, _.microseconds
# called by templates
_.decided_at
