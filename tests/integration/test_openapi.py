"""Requests made up from our own OpenAPI document, valid and not: it must be true of the service."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, FailureGroup, not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from ingest_service.protocols import PROBES, ROUTES

DOOR_PATHS = {entry.path for entry in (*ROUTES, *PROBES)}
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    content_type_conformance,
    status_code_conformance,
]
bounded = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_service_answers_as_its_openapi_document_says(service: str) -> None:
    schema = schemathesis.openapi.from_url(f"{service}/openapi.json")
    failures: list[str] = []
    for operation in (result.ok() for result in schema.get_all_operations()):
        # The door reads any bytes: no request is invalid before its body was looked at.
        is_typed = operation.path not in DOOR_PATHS
        for mode in GenerationMode if is_typed else [GenerationMode.POSITIVE]:

            @bounded
            @given(case=operation.as_strategy(mode))
            def answers(case: Case) -> None:
                case.call_and_validate(checks=CHECKS, timeout=20)

            try:
                answers()
            except Unsatisfiable:
                pass  # nothing can be wrong with a request that has no parts
            except (Exception, FailureGroup) as failure:
                failures.append(f"{operation.method.upper()} {operation.path}: {failure}")
    if failures:
        pytest.fail("\n\n".join(failures))
