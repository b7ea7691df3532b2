import shutil
import subprocess
from pathlib import Path

import pytest

from opensip.carriers import Number
from opensip.errors import ConfigError
from opensip.settings.load import load
from opensip.settings.schema import ServerTable, TlsTable
from opensip.settings.table import Mistakes
from tests.fakes.stir import stir

__all__ = ["stir"]

ROOT = Path(__file__).parents[2]
UDP = '[[sip.listeners]]\ntransport = "UDP"\nport = 0\n'
AGENT = """
greeting = "Hello."
[states.main]
intents = ["person"]
[intents.person]
phrases = ["a person"]
action = { transfer = "human" }
[directory.human]
uri = "sip:desk@192.0.2.9"
"""


@pytest.fixture
def write(tmp_path):
    def write(text, *, agents=(), trunks=()):
        for folder, files in (("agents", agents), ("trunks", trunks)):
            (tmp_path / folder).mkdir(exist_ok=True)
            for name, content in files:
                (tmp_path / folder / f"{name}.toml").write_text(content)
        (tmp_path / "opensip.toml").write_text(text)
        return tmp_path / "opensip.toml"

    return write


def mistakes(file, **more):
    with pytest.raises(Mistakes) as caught:
        load(file, **more)
    return list(caught.value.lines)


def test_echo_and_tone_are_there_without_a_file(write):
    settings = load(write(UDP))
    assert settings.agents.keys() == {"echo", "tone"}
    assert settings.agents["tone"].kind == "tone"
    assert settings.trunks == ()


def test_agents_and_trunks_are_named_by_their_files(write):
    trunk = 'networks = ["192.0.2.0/24"]\n[numbers]\n"(919) 555-1234" = "shop"\n'
    settings = load(write(UDP, agents=[("shop", AGENT)], trunks=[("office", trunk)]))
    [office] = settings.trunks
    assert office.name == "office"
    assert office.route("+19195551234") == Number("shop", recording=False, consent="")
    assert settings.agents["shop"].greeting == "Hello."


def test_files_may_be_named_by_absolute_patterns(write, tmp_path):
    pattern = tmp_path / "agents/*.toml"
    settings = load(write(f'agent_files = ["{pattern}"]\n{UDP}', agents=[("shop", AGENT)]))
    assert "shop" in settings.agents


def test_the_servers_directory_says_where_entries_lead(write):
    file = write(UDP + '[directory]\nhuman = "sip:desk@192.0.2.1"\n', agents=[("shop", AGENT)])
    settings = load(file)
    assert settings.agents["shop"].directory["human"].uri == "sip:desk@192.0.2.1"
    assert not [w for w in settings.warnings if "directory" in w]


def test_a_server_that_nobody_may_call_is_told_so(write):
    [warning] = load(write(UDP)).warnings
    assert warning.startswith("there is no trunk, so nobody may call")


def test_tls_is_listened_for_where_there_is_a_certificate():
    assert [one.transport for one in ServerTable().listeners] == ["UDP", "TCP"]
    with_tls = ServerTable(tls=TlsTable(certificate=Path("server.pem")))
    assert [one.transport for one in with_tls.listeners] == ["UDP", "TCP", "TLS"]


def test_every_mistake_of_every_file_at_once(write):
    file = write(
        UDP + '[trunks.inline]\nnetworks = ["192.0.2.0/24"]\nsrpt = "off"\n',
        agents=[("shop", 'greting = "Hi"\n'), ("broken", "= 1")],
        trunks=[("office", 'carrier = "bandwith"\n[numbers]\n"+19195551234" = "shp"\n')],
    )
    told = "\n".join(mistakes(file))
    assert "opensip.toml: trunks.inline.srpt: unknown key; did you mean 'srtp'?" in told
    assert "shop.toml: greting: unknown key; did you mean 'greeting'?" in told
    assert "broken.toml is no TOML" in told
    assert "office.toml: carrier: no carrier 'bandwith'; did you mean 'bandwidth'?" in told
    assert "office.toml: numbers.+19195551234: no agent 'shp'; did you mean 'shop'?" in told
    assert "office.toml: admits nobody and reaches nobody" in told


def test_a_file_that_is_not_there(write, tmp_path):
    with pytest.raises(ConfigError, match=r"there is no file .*absent.toml: name it"):
        load(tmp_path / "absent.toml")
    file = write('trunk_files = ["absent.toml"]\n' + UDP)
    assert "there is no file" in mistakes(file)[0]


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_certificate_that_is_missing_is_named(write):
    file = write('[[sip.listeners]]\ntransport = "TLS"\nport = 0\n[tls]\ncertificate = "no.pem"\n')
    [told] = mistakes(file)
    assert "sip.listeners[0]" in told
    assert "no.pem" in told
    assert "scripts/certs" in told


def test_what_we_call_out_with_is_read_where_nobody_calls_in_by_tls(write):
    [told] = mistakes(write(UDP + '[tls]\nca = "no.pem"\n'))
    assert "opensip.toml: tls: cannot use the TLS certificate authority file" in told


def test_two_of_a_name_are_told(write, tmp_path):
    trunk = 'networks = ["192.0.2.0/24"]\nsrtp = "off"\n'
    (tmp_path / "more").mkdir()
    (tmp_path / "more/shop.toml").write_text(AGENT)
    files = 'agent_files = ["agents/*.toml", "agents/shop.toml", "more/*.toml"]\n'
    file = write(
        f"{files}{UDP}[trunks.office]\n{trunk}",
        agents=[("shop", AGENT)],
        trunks=[("office", trunk)],
    )
    agents, trunks = mistakes(file)
    assert agents == f"{tmp_path}/more/shop.toml: there is an agent 'shop' in " + (
        f"{tmp_path}/agents/shop.toml: rename one"
    )
    assert (
        trunks == f"{tmp_path}/trunks/office.toml: there is a trunk 'office' in {file}: rename one"
    )


def test_entries_that_lead_nowhere_are_told(write):
    file = write(
        UDP + '[directory]\nhumen = "sip:desk@192.0.2.1"\n',
        agents=[("shop", AGENT + '[directory.night]\nuri = "sip:a b@c"\n')],
    )
    assert ["agents/shop.toml: directory.night: " in line for line in mistakes(file)] == [True]
    file = write(UDP, agents=[("shop", AGENT + '[directory.night]\nuri = "tel:911"\n')])
    [warning] = [line for line in load(file).warnings if "directory" in line]
    assert warning.startswith("agent shop: directory.night: 'tel:911' is an emergency number")
    file = write(UDP + '[directory]\nhumen = "sip:desk@192.0.2.1"\n', agents=[("shop", AGENT)])
    [told] = mistakes(file)
    assert "opensip.toml: directory.humen: no agent has this entry; did you mean 'human'?" in told


def test_an_entry_of_the_server_that_leads_nowhere_is_told_once_and_of_its_own_file(write):
    text = UDP + '[directory]\nhuman = "desk at somewhere"\n'
    file = write(text, agents=[("shop", AGENT), ("other", AGENT)])
    [told] = mistakes(file)
    assert told.startswith(f"{file}: directory.human: 'desk at somewhere' is no sip:")


def test_a_target_in_the_clear_of_a_trunk_that_requires_srtp_is_warned_of(write):
    trunk = 'networks = ["192.0.2.0/24"]\nsrtp = "required"\n[numbers]\n"1" = "shop"\n'
    settings = load(write(UDP, agents=[("shop", AGENT)], trunks=[("office", trunk)]))
    [warning] = [line for line in settings.warnings if "directory" in line]
    assert warning.startswith("trunk office: directory.human of agent shop")


def test_entries_are_judged_by_the_countries_of_the_trunks(write):
    text = (
        UDP
        + '[directory]\nhuman = "tel:110"\n[trunks.t]\ncountry = "DE"\nnetworks = ["192.0.2.1"]\n'
    )
    [told] = mistakes(write(text, agents=[("shop", AGENT)]))
    assert "directory.human: directory entry 'human' is an emergency number" in told


def test_srtp_without_tls_is_warned_of(write):
    trunk = 'networks = ["192.0.2.0/24"]\n[outbound]\ntermination = "sip:sbc.example.com"\n'
    settings = load(write(UDP, trunks=[("office", trunk)]))
    assert len([w for w in settings.warnings if "keys of SRTP travel in the clear" in w]) == 2


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize("name", ["opensip", "demo", "linetest"])
def test_what_we_ship_loads(tmp_path, name):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    subprocess.run([ROOT / "scripts/certs", "--dir", tmp_path / "certs"], check=True)
    settings = load(
        tmp_path / f"config/{name}.toml", environ={"OPENSIP_DEMO_PASSWORD": "for the test"}
    )
    assert "shop" in settings.agents
    if name == "linetest":
        routes = {n: settings.trunks[0].route(n).agent for n in ("echo", "tone", "agent", "12")}
        desk = settings.agents["shop"].directory["human"].uri
        assert desk.endswith(";transport=tcp")  # UDP has no room for the context
        assert routes == {"echo": "echo", "tone": "tone", "agent": "shop", "12": "echo"}
        listeners = [(one.transport, one.host, one.port) for one in settings.server.sip.listeners]
        assert listeners == [(*("UDP", "127.0.0.1"), 5060), ("TCP", "127.0.0.1", 5060),
                             ("TLS", "127.0.0.1", 5061)]  # fmt: skip
        assert [str(n) for n in settings.trunks[0].networks] == ["127.0.0.0/8"]


def test_an_agent_that_this_machine_cannot_run_is_told_apart(write, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    settings = load(write(UDP, agents=[("shop", AGENT)]))
    [why] = settings.unable
    assert why.startswith("agent shop can take no call: the embedded voice needs flite")


def test_a_live_agent_without_a_voice_of_its_own_is_warned_of(write, monkeypatch):
    bot = """kind = "stream"
realtime = ["bot"]
[providers.bot]
provider = "stream"
base_url = "ws://127.0.0.1:1/a"
"""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    settings = load(write(UDP, agents=[("shop", bot)]))
    assert settings.unable == ()
    assert any(
        "agent shop cannot say itself that a service failed: the embedded voice" in one
        for one in settings.warnings
    )
    [told] = mistakes(write(UDP, agents=[("shop", 'voice = "bob"\n' + bot)]))
    assert "voice: flite has no 'bob'" in told


def test_an_agent_that_no_machine_can_run_is_a_mistake(write):
    [told] = mistakes(write(UDP, agents=[("shop", 'voice = "bob"' + AGENT)]))
    assert "shop.toml: voice: flite has no 'bob'; its voices are rms, slt" in told


def test_a_provider_that_there_is_not(write):
    file = write(UDP, agents=[("shop", 'recognizer = ["embeded"]\n' + AGENT)])
    [told] = mistakes(file)
    assert "shop.toml: recognizer: no provider 'embeded'; did you mean 'embedded'?" in told


def test_roots_of_signers_are_read(write, tmp_path, stir):
    (tmp_path / "roots.pem").write_bytes(stir.pem)
    trunk = 'networks = ["192.0.2.0/24"]\nidentity = "enforce"\n'
    file = write(f'{UDP}[identity]\nanchors = "roots.pem"\n', trunks=[("office", trunk)])
    settings = load(file)
    assert settings.server.identity.anchors == tmp_path / "roots.pem"
    assert settings.trunks[0].identity == "enforce"


def test_mistakes_about_signers_are_told(write, tmp_path):
    (tmp_path / "roots.pem").write_text("nothing")
    trunk = 'networks = ["192.0.2.0/24"]\nidentity = "enforced"\n'
    file = write(f'{UDP}[identity]\nanchors = "roots.pem"\n', trunks=[("office", trunk)])
    told = mistakes(file)
    assert any(
        "office.toml: identity: 'enforced' is not one of 'off', 'annotate'" in t for t in told
    )
    assert any("opensip.toml: identity: cannot use the roots in" in t for t in told)


def test_a_ca_of_certificate_servers_that_cannot_be_used_is_told(write):
    [told] = mistakes(write(f'{UDP}[identity]\nca = "absent.pem"\nports = [443]\n'))
    assert "identity: cannot use the certificate authority file" in told


def test_mistakes_of_all_tables_and_cross_checks_come_in_one_round(write):
    office = """carrier = "twilio"
networks = ["192.0.2.0/24"]
srtp = "none"
transfer = "attended"
[numbers]
"*" = "echoo"
"""
    media = '[media]\nengine = "nativ"\nfirst_port = 30000\nlast_port = 20000\n'
    places = ["media.engine", "media", "srtp", "carrier", "numbers.*", "transfer"]
    told = mistakes(write(UDP + media, trunks=[("office", office)]))
    assert [line.split(": ")[1] for line in told] == places
    inline = "[trunks.inline]\n" + office.replace("[numbers]", "[trunks.inline.numbers]")
    told = mistakes(write(UDP + media + inline, trunks=[("office", "= 1")]))
    assert len(told) == len(places) + 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[media]\nfirst_port = "x"\nlast_port = 2000\n', "media.first_port"),
        ('[recording]\nkey = "env:NONE"\nold_keys = ["env:OLD"]\n', "recording.key"),
        ('[trunks.t]\nnetworks = ["all"]\n', "trunks.t.networks[0]"),
        ('[trunks.t]\nnetwroks = ["192.0.2.1"]\n', "trunks.t.netwroks"),
        ("trunks.t = 5\n", "trunks.t"),
        ('[trunks.t.users.ann]\npassword = "env:NONE"\n', "trunks.t.users.ann.password"),
        ("[trunks.t]\nany = 5\n[trunks.t.outbound]\ntermination = 5\n", None),
        (
            '[trunks.t]\nnetworks = ["192.0.2.1"]\n[trunks.t.numbers]\n"*" = { agent = 5 }\n',
            "trunks.t.numbers.*.agent",
        ),
        (
            '[trunks.t]\ncountry = "XX"\nnetworks = ["192.0.2.1"]\n[trunks.t.numbers]\n'
            '"9195551234" = "echo"\n"+19195551234" = "tone"\n',
            "trunks.t.country",
        ),
        (
            '[identity]\nanchors = 5\n[trunks.t]\nnetworks = ["192.0.2.1"]\nidentity = "enforce"\n',
            "identity.anchors",
        ),
        ('[[sip.listeners]]\ntransport = "TLS"\nport = 0\n[tls]\nkey = 5\n', "tls.key"),
        ('[[sip.listeners]]\ntransport = "TSL"\nport = 0\n', "sip.listeners[0].transport"),
    ],
)
def test_what_follows_from_a_mistake_is_none(write, text, place):
    told = mistakes(write(text), environ={"OLD": "00" * 32})
    places = [line.split(": ")[1] for line in told]
    assert places == ([place] if place else ["trunks.t.any", "trunks.t.outbound.termination"])


def test_an_agent_is_not_blamed_for_what_the_server_has_for_it(write):
    agent = AGENT.replace("greeting", 'synthesizer = ["main"]\ngreeting')
    accounts = UDP + '[providers.main]\napi_key = "env:NONE"\nvoice = "v"\n'
    [told] = mistakes(write(accounts, agents=[("shop", agent)]), environ={})
    assert "providers.main.api_key: the environment variable NONE is not set" in told
    [told] = mistakes(write("providers = 5\n" + UDP, agents=[("shop", agent)]))
    assert "providers: a table is wanted here" in told
    bare = AGENT.replace('uri = "sip:desk@192.0.2.9"', "")
    told = mistakes(write(UDP + "[directory]\nhuman = 5\n", agents=[("shop", bare)]))
    assert "opensip.toml: directory.human: a text in quotes is wanted" in told[0]
    told = mistakes(write(UDP, agents=[("shop", bare + "uri = 5\n")]))
    assert ["directory.human.uri: a text in quotes" in line for line in told] == [True]


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o400, 0), (0o644, 1), (0o660, 1)])
def test_a_key_file_that_others_may_read_is_warned_of(write, tmp_path, mode, told):
    trunk = 'networks = ["192.0.2.0/24"]\n[users.ann]\npassword = "file:../secret"\n'
    (tmp_path / "secret").write_text("00" * 32)
    (tmp_path / "secret").chmod(mode)
    file = write(UDP + '[recording]\nkey = "file:secret"\n', trunks=[("office", trunk)])
    warnings = [line for line in load(file).warnings if f"(mode {mode:o}): chmod 600" in line]
    assert ["recording.key" in line for line in warnings] == [True, False][: 2 * told]
