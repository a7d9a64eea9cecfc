"""Routes of rules: those that scans of a project are judged by, checked, explained, tried on events. What the command
line does with files, on texts that are sent."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from package_hunter.access.permissions import Permission
from package_hunter.api.allowed import PermittedRoute, access_to
from package_hunter.api.errors import ApiError
from package_hunter.api.service import Service
from package_hunter.api.transactions import read, told
from package_hunter.model.fields import field_catalogue
from package_hunter.rules import RuleSet, builtin_files, compile_matcher
from package_hunter.rules.document import read_file
from package_hunter.rules.explain import event_type_names, explain
from package_hunter.rules.load import load_condition, load_texts
from package_hunter.rules.model import Rule
from package_hunter.rules.source import DictEvent, DictSource
from package_hunter.store import rule_sets
from package_hunter.store.access_tables import MAX_PATH

MAX_TEXT, MAX_EVENTS, MAX_CONDITION = 256 << 10, 1_000, 8_000
_TEXT, _MAX_EXPLAINED = "rules", 20
_COMPILING = asyncio.Semaphore(1)  # it costs processor time: one at a time, whoever asks
_Project = Annotated[
    str | None, Query(max_length=MAX_PATH, description="The project's path; unset: the account's own.")
]
_Name = Annotated[str, Query(min_length=1, max_length=300, description="The rule's name.")]
T = TypeVar("T")


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RuleInfo(BaseModel):
    """A rule."""

    name: str
    priority: str
    tags: list[str]
    events: list[str] = Field(description="The types of events that it looks at; the first few.")
    enabled: bool
    description: str
    file: str = Field(description="The rule file, or rule set, that it is of.")
    line: int


class RuleList(BaseModel):
    """Rules, in their order."""

    items: list[RuleInfo]


class Explained(BaseModel):
    """A rule in English."""

    name: str
    text: str


class FieldInfo(BaseModel):
    """A field that conditions and outputs may ask for."""

    name: str
    type: str
    argument: str = Field(description="`none`, `key`, `index`; `?` behind it: it may be left out.")
    description: str
    unsupported: str = Field(description="Why a rule that needs it is refused; empty: it can be used.")


class FieldList(BaseModel):
    """Fields, as Falco has them."""

    items: list[FieldInfo]


class RulesText(_Asked):
    """Rules to be checked."""

    rules: str = Field(max_length=MAX_TEXT, description="A rule file's text (YAML).")
    builtin: bool = Field(
        default=True, description="Load the built-in rules before: it may use their macros."
    )
    engine: Literal["package-hunter", "falco"] = Field(
        default="package-hunter", description="`falco`: refuse what Falco 0.43 refuses, too."
    )
    explain: bool = Field(default=False, description="Say in English what its rules look for.")


class RuleProblem(BaseModel):
    """Something that is wrong with rules."""

    severity: str
    code: str
    line: int
    column: int
    message: str
    advice: str


class Checked(BaseModel):
    """What is to be said of rules."""

    ok: bool = Field(description="Whether they can be used.")
    rules: int
    macros: int
    lists: int
    problems: list[RuleProblem]
    explained: list[Explained] = Field(description="Where that was asked for: of the first twenty.")


class MatchBody(_Asked):
    """A condition, and events to try it on."""

    condition: str = Field(min_length=1, max_length=MAX_CONDITION)
    events: list[dict[str, Any]] = Field(max_length=MAX_EVENTS, description="Objects of field name to value.")


class Matched(BaseModel):
    """Which of the events it holds for."""

    matches: list[bool]


def routes(service: Service) -> APIRouter:
    """All of them; the built-in rules are read now."""
    builtin = [(path.name, read_file(path)) for path in builtin_files()]
    router = APIRouter(prefix="/api/v1", route_class=PermittedRoute, tags=["rules"])
    _look(router, service, builtin)
    _try(router, builtin)
    return router


@lru_cache(maxsize=8)  # of as many places: loading costs half a second
def loaded(texts: tuple[tuple[str, str], ...]) -> RuleSet:
    """Rules of files, each a name and a text: `load_texts`, remembered."""
    return load_texts(texts)


def _look(router: APIRouter, service: Service, builtin: list[tuple[str, str]]) -> None:
    async def of_project(request: Request, project: str | None) -> RuleSet:
        place = await service.target_project(access_to(request), project, Permission.POLICY_READ)
        own = await read(service, lambda session: rule_sets.of_project(session, place))
        return await _one_at_a_time(lambda: loaded((*builtin, *own)))

    @router.get("/rules", summary="The rules that scans of a project are judged by")
    async def list_rules(request: Request, project: _Project = None) -> RuleList:
        ruleset = await of_project(request, project)
        return RuleList(items=[_info(rule) for rule in ruleset.rules])

    @router.get("/rules/explain", summary="A rule in English")
    async def explained(request: Request, name: _Name, project: _Project = None) -> Explained:
        ruleset = await of_project(request, project)
        rule = ruleset.rule(name)
        if rule is None:
            near = difflib.get_close_matches(name, [one.name for one in ruleset.rules], 1, 0.4)
            advice = f"Did you mean {near[0]!r}?" if near else "GET /api/v1/rules lists them."
            raise ApiError(404, "There is no such rule.", advice)
        return Explained(name=rule.name, text=explain(rule))

    @router.get("/rules/fields", summary="The fields that rules may ask for")
    async def list_fields() -> FieldList:
        return FieldList(
            items=[
                FieldInfo(
                    name=one.name,
                    type=one.type.value,
                    argument=one.arg,
                    description=one.doc,
                    unsupported=one.unsupported,
                )
                for one in field_catalogue().values()
            ]
        )


def _info(rule: Rule) -> RuleInfo:
    return RuleInfo(
        name=rule.name,
        priority=str(rule.priority),
        tags=list(rule.tags),
        events=list(event_type_names(rule, 4)),
        enabled=rule.enabled,
        description=" ".join(rule.desc.split()),
        file=rule.place.file,
        line=rule.place.line,
    )


def _try(router: APIRouter, builtin: list[tuple[str, str]]) -> None:
    @router.post("/rules/check", summary="What is wrong with rules")
    async def check(asked: RulesText) -> Checked:
        texts = [*(builtin if asked.builtin else []), (_TEXT, asked.rules)]
        return await _one_at_a_time(
            lambda: _checked(load_texts(texts, asked.engine == "falco"), asked.explain)
        )

    @router.post("/rules/match", summary="Try a condition on events")
    async def match(asked: MatchBody) -> Matched:
        def run() -> list[bool]:
            condition = load_condition(asked.condition, loaded(tuple(builtin)))
            matcher = compile_matcher(condition, DictSource())
            events = (DictEvent(values, number) for number, values in enumerate(asked.events, 1))
            return [bool(matcher.matches(event)) for event in events]

        return Matched(matches=await _one_at_a_time(run))


def _checked(ruleset: RuleSet, explaining: bool) -> Checked:
    own = [problem for problem in ruleset.problems if problem.place.file == _TEXT]
    mine = [rule for rule in ruleset.rules if explaining and rule.place.file == _TEXT]
    return Checked(
        ok=not ruleset.errors,
        rules=len(ruleset.rules),
        macros=len(ruleset.macros),
        lists=len(ruleset.lists),
        problems=[
            RuleProblem(
                severity=str(problem.severity),
                code=str(problem.code),
                line=problem.place.line,
                column=problem.place.column,
                message=problem.message,
                advice=problem.advice or "",
            )
            for problem in own[:200]
        ],
        explained=[Explained(name=rule.name, text=explain(rule)) for rule in mine[:_MAX_EXPLAINED]],
    )


async def _one_at_a_time(work: Callable[[], T]) -> T:
    def run() -> T:
        with told():
            return work()

    async with _COMPILING:
        return await run_sync(run)
