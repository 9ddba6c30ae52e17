"""The function of all worlds: does as the script of its world says, and then what was asked."""

CODE = """
import fcntl, functools, json, os, re, time
import boto3

@functools.cache
def client(service):
    return boto3.client(service, endpoint_url=os.environ["ENDPOINT"], region_name="us-east-2",
                        aws_access_key_id="123456789012", aws_secret_access_key="test")

def failing(name):
    return type(name, (Exception,), {})("as the script says")

def handler(event, context):
    with open(os.path.join(os.environ["WORLDS"], event["world"]), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        script = json.load(file)
        script["calls"].append(event["state"])
        faults = script["faults"].get(event["state"])
        fault = faults if isinstance(faults, str) else faults.pop(0) if faults else None
        try:
            if fault and fault not in ("lost", "slow"):
                raise failing(fault)
            answer = invoked(script, event) if "operation" in event else called(script, event)
            if fault == "lost":
                raise failing("States.Timeout")
        finally:
            file.seek(0)
            file.truncate()
            json.dump(script, file)
            file.flush()
    if fault == "slow":
        time.sleep(3)
    return answer

def invoked(script, event):
    operation, epoch = event["operation"], event.get("epoch", 0)
    if operation in ("canary", "prepare", "replay", "raise") and not writes_here(script):
        raise failing("NotWritable")
    if epoch and epoch < script["fence"]:
        raise failing("StaleEpoch")
    if operation in ("prepare", "raise"):
        script["fence"] = epoch
    if operation == "replay":
        script["rounds"] += 1
        return {"done": script["rounds"] % 2 == 0, "applied": 3, "restored": 1}
    # Which epochs are cut and where is the replayer's to say: here, all of them at one moment.
    cuts = {str(each): {"S": "2026-11-20T12:00:00.000000Z"} for each in range(1, epoch)}
    found = {"acknowledged": 7, "missing": 0}
    if operation == "reconcile" and "incomplete" in script:
        script["incomplete"] -= 1
        found["complete"] = script["incomplete"] < 0
    return {"prepare": {"cuts": cuts}, "reconcile": found}.get(operation, {})

def writes_here(script):
    found = client("rds").describe_global_clusters(GlobalClusterIdentifier=script["global"])
    return any(each["IsWriter"] and ":us-east-2:" in each["DBClusterArn"]
               for each in found["GlobalClusters"][0]["GlobalClusterMembers"])

def called(script, event):
    integration, given = event["integration"], event["given"]
    if "EventSourceMapping" in integration:
        if "Enabled" in given:
            script["mapping"] = "Enabled" if given["Enabled"] else "Disabled"
        return {"State": script["mapping"], "UUID": given["Uuid"]}
    *_, service, operation = integration.split(":")
    service = {"eventbridge": "events"}.get(service, service)
    if service == "sns":
        given["Message"] = json.dumps(given["Message"])
    if service == "events":
        for entry in given["Entries"]:
            entry["Detail"] = json.dumps(entry["Detail"])
    name = re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()
    try:
        answer = getattr(client(service), name)(**given)
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        raise failing({"dynamodb": "DynamoDB", "rds": "Rds"}.get(service, service) + "." + code)
    answer.pop("ResponseMetadata", None)
    if service == "rds" and operation == "describeGlobalClusters" and script["moving"]:
        script["moving"] -= 1
        answer["GlobalClusters"][0]["Status"] = "failing-over"
    return json.loads(json.dumps(answer, default=str).replace("DBCluster", "DbCluster"))
"""
