import asyncio

from opensip.agent.clients import PerLoop


def test_a_loop_has_one_client_a_key_and_closes_its_own():
    made, closed = [], []

    async def close(client):
        closed.append(client)

    clients = PerLoop(lambda key: made.append(key) or f"{key}{len(made)}", close)

    async def main():
        first = clients.get("a")
        assert clients.get("a") is first
        clients.get("b")
        await clients.close()
        await clients.close()

    asyncio.run(main())
    assert (made, closed) == (["a", "b"], ["a1", "b2"])
    asyncio.run(main())
    assert made == ["a", "b"] * 2
