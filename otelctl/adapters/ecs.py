"""Amazon ECS through botocore, and what its tasks need to start: secrets, the execution role, its policies.

Only `deploy` changes anything. What a server answers is a fact; a refusal is a StoreFault, as in `adapters.boto`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from otelctl.adapters import boto
from otelctl.ecs import role_name
from otelctl.facts.ecs import (
    EcsAbsent,
    EcsContainer,
    EcsDeployment,
    EcsService,
    EcsTask,
    EcsTaskDefinition,
    RoleAbsent,
    RolePolicies,
    SecretVersions,
    Simulated,
)
from otelctl.facts.store import SecretAbsent, StoredSecret, StoreFault
from otelctl.secret import Secret

_PAGE = 100
_MOST_TASKS = 1000
_MOST_POLICIES = 30
_UNREAD = StoreFault("ListRolePolicies", "MorePolicies", "the role has more policies than are read")
_SERVICE_KEY = "alias/aws/secretsmanager"


class AwsContainers:
    """Answers `ports.Containers` with botocore's own credentials, profile, region and `AWS_ENDPOINT_URL`.

    `timeout` bounds connecting and each read, in seconds; a call that failed for the network, a throttle or the
    server is tried four times at most. Importing this module imports botocore, which takes 70 ms.
    """

    def __init__(self, profile: str | None = None, region: str | None = None, timeout: float = 10.0) -> None:
        self._aws = boto.Caller(profile, region, timeout)

    @property
    def region(self) -> str:
        """The region in use, once something was asked; before that, and where there is none, an empty text."""
        return self._aws.where("ecs").get("region", "")

    def service(self, cluster: str, name: str) -> EcsService | EcsAbsent | StoreFault:
        """Describe a service; one that was deleted counts as absent."""
        answer = self._call("ecs", "describe_services", cluster=cluster, services=[name])
        if isinstance(answer, StoreFault):
            return _absent(answer, {"ClusterNotFoundException": ("cluster", cluster)})
        for one in answer.get("services") or ():
            if one.get("status") != "INACTIVE":
                return _service(one, cluster)
        return EcsAbsent("service", name)

    def task_definition(self, name: str) -> EcsTaskDefinition | EcsAbsent | StoreFault:
        """Describe a task definition."""
        answer = self._call("ecs", "describe_task_definition", taskDefinition=name)
        if isinstance(answer, StoreFault):
            # "Unable to describe task definition." is all that ECS says of one that is not there.
            gone = answer.code == "ClientException" and "describe task definition" in answer.message.lower()
            return EcsAbsent("task definition", name) if gone else answer
        return _task_definition(answer["taskDefinition"])

    def tasks(self, cluster: str, service: str, *, stopped: bool) -> tuple[EcsTask, ...] | StoreFault:
        """Describe at most a thousand tasks of a service."""
        arns: list[str] = []
        more: dict[str, str] = {}
        while len(arns) < _MOST_TASKS:
            status = "STOPPED" if stopped else "RUNNING"
            listed = self._call("ecs", "list_tasks", cluster=cluster, serviceName=service, desiredStatus=status, **more)
            if isinstance(listed, StoreFault):
                return listed
            arns += listed.get("taskArns") or ()
            if not listed.get("nextToken"):
                break
            more = {"nextToken": listed["nextToken"]}
        tasks: list[EcsTask] = []
        for start in range(0, len(arns), _PAGE):
            answer = self._call("ecs", "describe_tasks", cluster=cluster, tasks=arns[start : start + _PAGE])
            if isinstance(answer, StoreFault):
                return answer
            tasks += [_task(one) for one in answer.get("tasks") or ()]
        return tuple(tasks)

    def deploy(self, cluster: str, service: str) -> EcsService | EcsAbsent | StoreFault:
        """Force a new deployment of what the service runs already."""
        answer = self._call("ecs", "update_service", cluster=cluster, service=service, forceNewDeployment=True)
        if isinstance(answer, StoreFault):
            gone = {
                "ClusterNotFoundException": ("cluster", cluster),
                "ServiceNotFoundException": ("service", service),
                "ServiceNotActiveException": ("service", service),
            }
            return _absent(answer, gone)
        return _service(answer["service"], cluster)

    def secret(self, secret_id: str, region: str, stage: str, version: str) -> StoredSecret | SecretAbsent | StoreFault:
        """Read one version of a secret."""
        wanted = {name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value}
        answer = self._call("secretsmanager", "get_secret_value", region, SecretId=secret_id, **wanted)
        if isinstance(answer, StoreFault):
            if answer.code == "ResourceNotFoundException":
                return SecretAbsent(secret_id, empty="secret value" in answer.message)
            return answer
        text = answer.get("SecretString")
        return StoredSecret(
            identity=str(answer.get("ARN") or secret_id),
            text=Secret(text) if isinstance(text, str) else None,
            version=str(answer.get("VersionId") or ""),
            labels=tuple(answer.get("VersionStages") or ()),
        )

    def parameter(self, name: str, region: str) -> StoredSecret | SecretAbsent | StoreFault:
        """Read a parameter of the Parameter Store, decrypted."""
        answer = self._call("ssm", "get_parameters", region, Names=[name], WithDecryption=True)
        if isinstance(answer, StoreFault):
            return answer
        found = next(iter(answer.get("Parameters") or ()), None)
        if found is None:
            return SecretAbsent(name)
        return StoredSecret(str(found.get("ARN") or name), Secret(str(found["Value"])), str(found.get("Version") or ""))

    def versions(self, secret_id: str, region: str) -> SecretVersions | SecretAbsent | StoreFault:
        """Describe a secret and the times of its versions."""
        about = self._call("secretsmanager", "describe_secret", region, SecretId=secret_id)
        if isinstance(about, StoreFault):
            return SecretAbsent(secret_id) if about.code == "ResourceNotFoundException" else about
        listed = self._call("secretsmanager", "list_secret_version_ids", region, SecretId=secret_id, MaxResults=_PAGE)
        if isinstance(listed, StoreFault):
            return listed
        made = {stage: one.get("CreatedDate") for one in listed.get("Versions") or () for stage in one["VersionStages"]}
        key = str(about.get("KmsKeyId") or "")
        return SecretVersions(
            arn=str(about.get("ARN") or secret_id),
            kms_key="" if key.endswith(_SERVICE_KEY) else key,
            current=made.get("AWSCURRENT"),
            previous=made.get("AWSPREVIOUS"),
            changed=about.get("LastChangedDate"),
        )

    def resource_policy(self, secret_id: str, region: str) -> str | StoreFault:
        """Read the policy on a secret."""
        answer = self._call("secretsmanager", "get_resource_policy", region, SecretId=secret_id)
        return answer if isinstance(answer, StoreFault) else str(answer.get("ResourcePolicy") or "")

    def simulate(self, role: str, action: str, resource: str, context: Mapping[str, str]) -> Simulated | StoreFault:
        """Have IAM judge one action."""
        entries = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in context.items()
        ]
        answer = self._call(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=role,
            ActionNames=[action],
            ResourceArns=[resource],
            ContextEntries=entries,
        )
        if isinstance(answer, StoreFault):
            return answer
        results = answer.get("EvaluationResults") or ()
        decision = next((str(one.get("EvalDecision")) for one in results), "")
        every = [*results, *(inner for one in results for inner in one.get("ResourceSpecificResults") or ())]
        missing = dict.fromkeys(str(key) for one in every for key in one.get("MissingContextValues") or ())
        return Simulated(action, resource, decision, tuple(missing))

    def role(self, role: str) -> RolePolicies | RoleAbsent | StoreFault:
        """Read a role and its policies; what could not be read of the policies only makes it less than whole."""
        name = role_name(role)
        answer = self._call("iam", "get_role", RoleName=name)
        if isinstance(answer, StoreFault):
            return RoleAbsent(role) if answer.code in {"NoSuchEntity", "NoSuchEntityException"} else answer
        about = answer["Role"]
        documents, whole = [], "PermissionsBoundary" not in about
        for document in self._documents(name):
            if isinstance(document, StoreFault):
                whole = False
            else:
                documents.append(document)
        return RolePolicies(role, _document(about.get("AssumeRolePolicyDocument")), tuple(documents), whole)

    def _documents(self, name: str) -> Iterator[str | StoreFault]:
        """Yield the documents of a role's own and attached policies, or a fault where one cannot be read."""
        own = self._call("iam", "list_role_policies", RoleName=name)
        if isinstance(own, StoreFault):
            yield own
        else:
            names = own.get("PolicyNames") or ()
            for policy in names[:_MOST_POLICIES]:
                yield self._text("get_role_policy", "PolicyDocument", RoleName=name, PolicyName=policy)
            if own.get("IsTruncated") or len(names) > _MOST_POLICIES:
                yield _UNREAD
        attached = self._call("iam", "list_attached_role_policies", RoleName=name)
        if isinstance(attached, StoreFault):
            yield attached
            return
        policies = attached.get("AttachedPolicies") or ()
        if attached.get("IsTruncated") or len(policies) > _MOST_POLICIES:
            yield _UNREAD
        for policy in policies[:_MOST_POLICIES]:
            arn = policy["PolicyArn"]
            about = self._call("iam", "get_policy", PolicyArn=arn)
            if isinstance(about, StoreFault):
                yield about
                continue
            version = about["Policy"]["DefaultVersionId"]
            found = self._call("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
            yield found if isinstance(found, StoreFault) else _document(found["PolicyVersion"].get("Document"))

    def _text(self, method: str, member: str, **params: str) -> str | StoreFault:
        answer = self._call("iam", method, **params)
        return answer if isinstance(answer, StoreFault) else _document(answer.get(member))

    def _call(self, service: str, method: str, region: str = "", /, **params: object) -> dict[str, Any] | StoreFault:
        answer = self._aws.call(service, method, region, None, **params)
        if isinstance(answer, StoreFault):
            return dataclasses.replace(answer, detail={"service": service, **answer.detail})
        if set(answer) <= {"ResponseMetadata"}:
            # 200 with something else in it: whatever stands at this endpoint, it is not this service.
            operation = "".join(word.capitalize() for word in method.split("_"))
            detail = {"service": service, **self._aws.where(service, region)}
            said = "the answer holds nothing of this operation"
            return StoreFault(operation, "NotAws", said, boto.status(answer), detail)
        return answer


def _absent(fault: StoreFault, codes: Mapping[str, tuple[str, str]]) -> EcsAbsent | StoreFault:
    return EcsAbsent(*codes[fault.code]) if fault.code in codes else fault


def _document(value: object) -> str:
    """Return a policy document as JSON: botocore hands it out decoded, and moto's now and then as text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _one_line(value: object) -> str:
    return boto.clean(str(value or ""))


def _service(one: Mapping[str, Any], cluster: str) -> EcsService:
    deployments = tuple(_deployment(each) for each in [*(one.get("deployments") or ()), *(one.get("taskSets") or ())])
    primary = next((each for each in deployments if each.status == "PRIMARY"), None)
    return EcsService(
        arn=str(one.get("serviceArn") or ""),
        name=str(one.get("serviceName") or ""),
        cluster=cluster,
        status=str(one.get("status") or ""),
        # A service of CodeDeploy or of an external controller names it in its task set alone.
        task_definition=str(one.get("taskDefinition") or (primary.task_definition if primary else "")),
        desired=int(one.get("desiredCount") or 0),
        running=int(one.get("runningCount") or 0),
        platform_version=str(one.get("platformVersion") or ""),
        platform_family=str(one.get("platformFamily") or ""),
        fargate=_is_fargate(one),
        deployments=deployments,
    )


def _is_fargate(one: Mapping[str, Any]) -> bool:
    providers = [str(each.get("capacityProvider")) for each in one.get("capacityProviderStrategy") or ()]
    return one.get("launchType") == "FARGATE" or any(each.startswith("FARGATE") for each in providers)


def _deployment(one: Mapping[str, Any]) -> EcsDeployment:
    return EcsDeployment(
        id=str(one.get("id") or ""),
        status=str(one.get("status") or ""),
        task_definition=str(one.get("taskDefinition") or ""),
        rollout=str(one.get("rolloutState") or ""),
        reason=_one_line(one.get("rolloutStateReason")),
        desired=int(one.get("desiredCount") or 0),
        running=int(one.get("runningCount") or 0),
        pending=int(one.get("pendingCount") or 0),
        failed=int(one.get("failedTasks") or 0),
        created=_time(one.get("createdAt")),
    )


def _task_definition(one: Mapping[str, Any]) -> EcsTaskDefinition:
    containers = tuple(
        EcsContainer(
            name=str(each.get("name") or ""),
            environment=tuple(
                (str(pair["name"]), Secret(str(pair.get("value") or ""))) for pair in each.get("environment") or ()
            ),
            secrets=tuple((str(pair["name"]), str(pair.get("valueFrom") or "")) for pair in each.get("secrets") or ()),
            env_files=tuple(str(file.get("value") or "") for file in each.get("environmentFiles") or ()),
        )
        for each in one.get("containerDefinitions") or ()
    )
    return EcsTaskDefinition(
        arn=str(one.get("taskDefinitionArn") or ""),
        family=str(one.get("family") or ""),
        revision=int(one.get("revision") or 0),
        containers=containers,
        execution_role=str(one.get("executionRoleArn") or ""),
        fargate="FARGATE" in (one.get("requiresCompatibilities") or ()),
    )


def _task(one: Mapping[str, Any]) -> EcsTask:
    containers = one.get("containers") or ()
    reasons = [one.get("stoppedReason"), *(each.get("reason") for each in containers)]
    codes = [each.get("exitCode") for each in containers]
    started_by = str(one.get("startedBy") or "")
    return EcsTask(
        arn=str(one.get("taskArn") or ""),
        task_definition=str(one.get("taskDefinitionArn") or ""),
        status=str(one.get("lastStatus") or ""),
        created=_time(one.get("createdAt")),
        started=_time(one.get("startedAt")),
        deployment=started_by,
        stop_code=str(one.get("stopCode") or ""),
        reasons=tuple(dict.fromkeys(_one_line(reason) for reason in reasons if reason)),
        exit_code=next((int(code) for code in codes if code), None),
        platform_version=str(one.get("platformVersion") or ""),
    )
