"""Airflow's pages choose the city's time zone; what is no page goes by as it was."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from infra.airflow.city_time import CityTime

PAGE = '<html><head><title>Airflow</title></head><body><div id="root"></div></body></html>'


def answer(response: Response) -> tuple[str, str]:
    app = CityTime(Starlette(routes=[Route("/", lambda _: response)]))
    told = TestClient(app).get("/")
    return told.text, told.headers.get("content-length", "")


def test_a_page_chooses_the_citys_zone_before_anything_else() -> None:
    text, _ = answer(HTMLResponse(PAGE))
    begins, _, rest = text.partition("</script>")
    assert begins.startswith("<html><head><script>")
    assert """localStorage.setItem("timezone","\\"Asia/Shanghai\\"")""" in begins
    assert 'if(!localStorage.getItem("timezone"))' in begins, "what somebody chose stays"
    assert f"<html><head>{rest}" == PAGE


def test_what_is_no_page_goes_by() -> None:
    assert answer(JSONResponse({"<head>": 1})) == ('{"<head>":1}', "12")
    packed = Response(b"<head>", media_type="text/html", headers={"content-encoding": "identity"})
    assert answer(packed) == ("<head>", "6")
