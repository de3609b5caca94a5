"""The SDK: keys, datasets, jobs and the provider daemon, over JSON-RPC and metadata alone.

`rpc.py` is the only path to a node; `chain.py` reads and writes the chain through its metadata, so no pallet
is imported here. What a buyer does, for example:

    chain, me = Chain(Rpc("http://127.0.0.1:9944")), Keyring().get("me")
    quoted = buyer.quote(chain, dataset, model, spec)
    job = buyer.submit(chain, me, buyer.Order(model, spec), quoted).job
    ...
    package = buyer.fetch(chain, me, job).package        # verified, or an error with a name
    jobs.confirm(chain, Signer(me.keypair), job)
"""
