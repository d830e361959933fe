"""The examples an operator copies: what they let a proxy log, and whom the container believes."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_proxy_example_logs_no_query() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    ((name, wanted),) = re.findall(r"^log_format (\w+) '(.*)';$", example, re.MULTILINE)
    assert "$uri" in wanted
    # Each of these holds what was typed into the search page, or who sent it.
    assert not re.findall(r"\$(?:request|request_uri|args|arg_\w+|query_string|http_\w+|cookie_\w+)\b", wanted)
    assert re.findall(r"access_log \S+ (\w+);", example) == [name]
    assert re.search(r"error_log +\S+ crit;", example), "less grave lines quote the whole request"


def test_the_container_believes_the_gateway_by_which_the_proxy_comes_in() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    (pool,) = compose["networks"]["front"]["ipam"]["config"]
    app = compose["services"]["app"]
    assert app["environment"]["PETITION_FORWARDED_ALLOW_IPS"] == pool["gateway"]
    assert ip_address(pool["gateway"]) in ip_network(pool["subnet"])
    assert "front" in app["networks"]
    assert all(port.startswith("127.0.0.1:") for port in app["ports"]), "the gateway stands for this machine alone"
