"""What goes wrong where the two values are kept outside Secrets Manager: files, keyring, Parameter Store."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_K8S = "https://kubernetes.io/docs/concepts/configuration/secret/"
_KEYRING = "https://github.com/jaraco/keyring#readme"
_SSM = "https://docs.aws.amazon.com/systems-manager/latest/"
_PUT = _SSM + "APIReference/API_PutParameter.html"

_LOOK = Step("Then look again; this writes nothing.", "otelctl push-secret --to {place} --dry-run")
_WHO = Step("See which account and role the calls come from.", "aws sts get-caller-identity")


def _row(
    code: str,
    title: str,
    summary: str,
    cause: str,
    *fix: Step,
    refs: tuple[str, ...] = (),
    severity: Severity = Severity.ERROR,
) -> Diagnosis:
    return Diagnosis(code, title, severity, summary, cause, fix, refs)


# Files

FILE_ABSENT = _row(
    "STORE-FILE-ABSENT",
    "The file is not there",
    "There is no file {path}.",
    "The path is mistyped, or it is relative to another folder than this one, or nobody has made the file yet.",
    Step("See what is there.", "ls -la -- {folder}"),
    Step("If it is to be made now, with our two values alone:", "otelctl push-secret --to {place} --create"),
)
FOLDER_ABSENT = _row(
    "STORE-FOLDER-ABSENT",
    "The folder of the file is not there",
    "{path} cannot be written: there is no folder {folder}.",
    "otelctl makes the file, never a folder: one that is missing is mostly a mistyped path.",
    Step("Make it, if the path is right.", "mkdir -p -- {folder}"),
    Step("Then push again.", "otelctl push-secret --to {place} --create"),
)
FILE_DENIED = _row(
    "STORE-FILE-DENIED",
    "This user may not touch the file",
    "The system refused to {operation} {path} ({code}: {text}).",
    "Reading needs the file's read permission. Writing needs the folder's: the new text goes into a file beside the "
    "old one, which then takes its place in one step.",
    Step("See who may.", "ls -ld -- {folder} {path}"),
    Step("See who you are.", "id"),
)
READ_ONLY = _row(
    "STORE-READ-ONLY",
    "The file lies on a file system that is read-only",
    "The system refused to {operation} {path} ({code}: {text}).",
    "It is mounted so: a container's root, a mounted ConfigMap or Secret, an image, or a disk that met an error.",
    Step("See how it is mounted.", "findmnt -T {folder}"),
)
DISK_FULL = _row(
    "STORE-DISK-FULL",
    "There is no room for the file",
    "The system refused to {operation} {path} ({code}: {text}).",
    "The disk, the quota or the largest size that a file may have is used up. The old text is in place, whole.",
    Step("See how much is left.", "df -h -- {folder}"),
    Step("See whether a quota or a limit is it.", "ulimit -f; quota"),
    _LOOK,
)
FILE_BUSY = _row(
    "STORE-FILE-BUSY",
    "The file cannot be replaced, for it is in use",
    "The system refused to {operation} {path} ({code}: {text}).",
    "A file that is mounted by itself into a container, as by docker's `-v ./.env:/app/.env`, cannot be replaced from "
    "inside. On Windows another program that has it open is enough.",
    Step("Run otelctl outside of the container, or mount the folder instead of the file."),
)
NOT_A_FILE = _row(
    "STORE-NOT-A-FILE",
    "The path leads to something that is no file",
    "{path} cannot be read ({code}: {text}).",
    "It is a folder, a device or a pipe. Values are kept in a regular file.",
    Step("See what it is.", "ls -ld -- {path}"),
)
FILE_TOO_LARGE = _row(
    "STORE-FILE-TOO-LARGE",
    "The file is larger than any file of settings",
    "{path} is {text}.",
    "otelctl reads the whole text to change two values in it, and takes so large a one for a mistake.",
    Step("See what it is.", "file -- {path}"),
)
FILE_FAULT = _row(
    "STORE-FILE-FAULT",
    "The system cannot reach the file",
    "The system refused to {operation} {path} ({code}: {text}).",
    "The words are the system's own. The file is as it was before.",
    Step("See what the system says of it.", "ls -ld -- {folder} {path}"),
)
NOT_TEXT = _row(
    "STORE-NOT-TEXT",
    "The file holds no text",
    "{path} is not UTF-8.",
    "It is binary, or was saved in another encoding, as by PowerShell's `>`, which gives UTF-16.",
    Step("See what it is.", "file -- {path}"),
    Step("Save it as UTF-8 by an editor."),
)
LEFTOVER = _row(
    "STORE-LEFTOVER",
    "A file of a write that broke off was left behind",
    "{name} lies beside {path} and could not be removed.",
    "A write that was killed leaves the new text in a file of its own, for its owner only; the next one removes it.",
    Step("Remove it: it holds the values.", "rm -- {folder}/{name}"),
    severity=Severity.NOTICE,
)
LAYOUT = _row(
    "STORE-LAYOUT",
    "The file's layout leaves no safe place for the values",
    "{path} was left alone: {detail}.",
    "The change was tried in memory and read again, and something else would have read differently: a quote that is "
    "never closed swallows what follows, and unusual YAML leaves no line to add to.",
    Step("Mend that place by hand."),
    _LOOK,
)
VALUE = _row(
    "STORE-VALUE",
    "The value cannot be kept there unchanged",
    "{place}: {detail}.",
    "Whatever reads this place would give back another text than the one that was written.",
    Step("Look at the value for what does not belong there.", "otelctl inspect-auth"),
)
SHADOWED = _row(
    "STORE-SHADOWED",
    "A variable is set in two places, and one counts",
    "{path} holds more than once: {names}.",
    "The last line of a .env file wins over the ones before, and stringData of a Secret over data. The place that "
    "counts was taken; the other one stands as it was.",
    Step("Delete the one that does not count.", "grep -n -e {first} -- {path}"),
    severity=Severity.NOTICE,
)
KEY_CASE = _row(
    "STORE-KEY-CASE",
    "A name that differs in case alone stands beside ours",
    "{place} holds {names} as well, beside {ours}, which takes the value.",
    "Capitals count in these names. Whatever reads the other one does not get the new value.",
    Step("Where the other one is read, write to that.", "otelctl push-secret --to {place} {option} {other}"),
    Step("Where nothing reads it, delete it, so that nobody takes it for the one in use."),
    severity=Severity.WARNING,
)

# Kubernetes

NOT_YAML = _row(
    "STORE-NOT-YAML",
    "The manifest is not YAML",
    "{path} cannot be read as YAML: {detail}.",
    "It was edited by hand and broke, holds a tab where spaces belong, or is a template (Helm, Jinja), which becomes "
    "YAML only when it is rendered.",
    Step("See what kubectl makes of it; this sends nothing.", "kubectl create --dry-run=client -f {path} -o name"),
    refs=("https://yaml.org/spec/1.2.2/",),
)
NO_MANIFEST = _row(
    "STORE-NO-SECRET",
    "The manifest holds no such Secret",
    "{path} holds {detail}.",
    "otelctl writes into a document of kind Secret, named after # where there are several: it makes none in a file "
    "that is there already, and looks into no List. It found these: {names}.",
    Step("See what the file holds.", "kubectl create --dry-run=client -f {path} -o name"),
    Step("Make a manifest of its own.", "otelctl push-secret --to k8s:otel-secret.yaml --create"),
    refs=(_K8S,),
)
SEVERAL_MANIFESTS = _row(
    "STORE-SEVERAL-SECRETS",
    "The manifest holds more than one Secret that fits",
    "{path} holds {detail}: {names}.",
    "Without a name, or with one that two of them share, it is not said which one takes the values.",
    Step("Name it after the path.", "otelctl push-secret --to {place}#NAME --dry-run"),
    refs=(_K8S,),
)
IMMUTABLE = _row(
    "STORE-SECRET-IMMUTABLE",
    "The Secret is immutable",
    "The Secret {names} in {path} says immutable: true.",
    "Kubernetes refuses every change of such a Secret: a change takes a new one under a new name, to which the pods "
    "are then pointed.",
    Step(
        "Write a new manifest, and use its name in the pods.", "otelctl push-secret --to k8s:otel-secret.yaml --create"
    ),
    refs=(_K8S + "#secret-immutable",),
)
ENCRYPTED = _row(
    "STORE-ENCRYPTED",
    "The manifest is encrypted",
    "{path} is {detail}.",
    "Its values are ciphertext, and a value in clear among them would be published or break it. Its own tool changes "
    "it.",
    Step("With SOPS:", "sops edit {path}"),
    Step("With Sealed Secrets, make the plain Secret, seal it, and keep the sealed one.", "kubeseal --help"),
    refs=("https://getsops.io/docs/", "https://github.com/bitnami-labs/sealed-secrets#usage"),
)
ALIAS = _row(
    "STORE-YAML-ALIAS",
    "The value is shared by an anchor, an alias or a tag",
    "{path} has one at {detail}.",
    "A change there would change other places too, or would not be the text that it seems to be.",
    Step("Write the value out in full, without & * << or !!, then push again."),
    _LOOK,
    refs=("https://yaml.org/spec/1.2.2/#71-alias-nodes",),
)
SHAPE = _row(
    "STORE-SECRET-SHAPE",
    "The Secret has something else where a text belongs",
    "{path} has {detail}.",
    "Below data and stringData a Secret has keys with texts, and nothing deeper. Kubernetes refuses this as well.",
    Step("See what Kubernetes says; this changes nothing.", "kubectl apply --dry-run=server -f {path}"),
    refs=(_K8S,),
)
DUPLICATE_KEYS = _row(
    "STORE-DUPLICATE-KEYS",
    "A key occurs twice in the Secret",
    "{path} holds more than once, {detail}: {names}.",
    "YAML forbids it, and readers that let it pass keep one of the two in silence, not all the same one.",
    Step("Delete the one that is wrong.", "grep -n -e {first} -- {path}"),
    _LOOK,
    refs=("https://yaml.org/spec/1.2.2/#3213-node-comparison",),
)

# Keyring

KEYRING_ABSENT = _row(
    "STORE-KEYRING-ABSENT",
    "There is no such profile in the keyring",
    "The keyring holds no profile {name} of otelctl.",
    "The name is mistyped, the profile is another user's, or nobody has saved it yet.",
    Step("If it is to be made now:", "otelctl push-secret --to {place} --create"),
)
KEYRING_NONE = _row(
    "STORE-KEYRING-NONE",
    "This machine has no keyring",
    "The keyring library found nothing to keep a secret in ({code}).",
    "A keyring belongs to a desktop session (macOS Keychain, Windows Credential Locker, Secret Service). A server or a "
    "container has none.",
    Step("See what it finds.", "keyring --list-backends"),
    Step("Keep the values in a file for its owner alone.", "otelctl push-secret --to dotenv:.env --create"),
    refs=(_KEYRING,),
)
KEYRING_LOCKED = _row(
    "STORE-KEYRING-LOCKED",
    "The keyring is locked",
    "The keyring refused to {operation} the profile {name} ({code}, {backend}).",
    "It opens with the desktop session, or asks for its password there; that was declined, or nobody was there.",
    Step("Unlock it, then try again.", "otelctl push-secret --to {place} --dry-run"),
    refs=(_KEYRING,),
)
KEYRING_REFUSED = _row(
    "STORE-KEYRING-REFUSED",
    "The keyring refused",
    "The keyring refused to {operation} the profile {name} ({code}, {backend}).",
    "The words are the backend's own. It is not reachable, does not allow it, or takes no entry of this size.",
    Step("See whether it works at all.", "keyring diagnose"),
    refs=(_KEYRING,),
)
KEYRING_FOREIGN = _row(
    "STORE-KEYRING-FOREIGN",
    "The keyring's entry is not one of otelctl",
    "The entry under {name} cannot be read: {detail}.",
    "otelctl keeps a JSON object there. Something else has written this entry, or it was cut short.",
    Step("Use another profile.", "otelctl push-secret --to keyring:grafana --create"),
)
NO_PAIR = _row(
    "STORE-NO-PAIR",
    "The headers hold no instance ID and token to keep",
    "{place}: {detail}.",
    "A keyring profile keeps the pair that makes one Basic header. Headers of another kind need a place that keeps "
    "them as they are.",
    Step("Keep them in a file.", "otelctl push-secret --to dotenv:.env --create"),
)

# Parameter Store

SSM_ABSENT = _row(
    "STORE-SSM-ABSENT",
    "The parameters are not there",
    "Parameter Store in {region} has neither of the two parameters under {name}.",
    "The prefix is mistyped, or they live in another region or account, or nobody has made them yet.",
    Step(
        "See what is there.",
        "aws ssm get-parameters-by-path --path {path} --region {region} --query 'Parameters[].Name'",
    ),
    _WHO,
    Step("If they are to be made now:", "otelctl push-secret --to {place} --create"),
)
SSM_DENIED = _row(
    "STORE-SSM-DENIED",
    "AWS denies a permission on the parameters",
    "{principal} may not do {action}: {text}",
    "Reading needs ssm:GetParameters, writing ssm:PutParameter, and overwriting ssm:DescribeParameters too, without "
    "which the KMS key of the parameter would be lost.",
    _WHO,
    Step("Allow {action} for this principal."),
    refs=(_SSM + "userguide/sysman-paramstore-access.html",),
)
SSM_KMS = _row(
    "STORE-SSM-KMS",
    "The KMS key of the parameters cannot be used",
    "AWS refused {operation} under {name} ({code}): {text}",
    "A SecureString is encrypted with a KMS key. It is disabled or gone, or the caller may not use it: reading needs "
    "kms:Decrypt, writing kms:Encrypt or, in the advanced tier, kms:GenerateDataKey.",
    Step(
        "See which key it is.",
        "aws ssm describe-parameters --region {region} "
        "--parameter-filters Key=Path,Values={path} --query 'Parameters[].[Name,KeyId]'",
    ),
    _WHO,
    refs=(_SSM + "userguide/secure-string-parameter-kms-encryption.html",),
)
SSM_INVALID = _row(
    "STORE-SSM-INVALID",
    "Parameter Store does not take the name or the value",
    "AWS refused {operation} under {name} ({code}): {text}",
    "A name is a path of up to 15 parts of letters, digits and .-_ that does not begin with aws or ssm. A value has up "
    "to 4,096 characters in the standard tier, and may have to match the parameter's pattern.",
    Step("Choose a prefix that fits.", "otelctl push-secret --to ssm:/otel/exporter --create"),
    refs=(_PUT,),
)
SSM_LIMIT = _row(
    "STORE-SSM-LIMIT",
    "A limit of Parameter Store is reached",
    "AWS refused {operation} under {name} ({code}): {text}",
    "It keeps 100 versions of a parameter, and stops where the oldest of them has a label; it also has a most of "
    "parameters.",
    Step("See which versions have labels.", "aws ssm get-parameter-history --region {region} --name {first}"),
    refs=("https://docs.aws.amazon.com/general/latest/gr/ssm.html",),
)
SSM_THROTTLED = _row(
    "STORE-SSM-THROTTLED",
    "Parameter Store throttles the calls",
    "{operation} under {name} was refused for its rate ({code}): {text}",
    "The account as a whole asks Parameter Store or KMS too often right now, or others write the same parameter.",
    Step("Try again in a minute.", "otelctl push-secret --to {place} --dry-run"),
    refs=("https://docs.aws.amazon.com/general/latest/gr/ssm.html",),
    severity=Severity.UNKNOWN,
)
SSM_UNREACHABLE = _row(
    "STORE-SSM-UNREACHABLE",
    "Parameter Store cannot be reached",
    "{endpoint}: {text}",
    "No connection, or none that lasts: no way out of the VPC (the interface endpoint com.amazonaws.REGION.ssm is "
    "missing), a proxy, a firewall, or a region that does not exist ({region} was asked).",
    Step("See how far a connection gets.", "curl -v --max-time 10 {endpoint}"),
    refs=(_SSM + "userguide/setup-create-vpc.html",),
    severity=Severity.UNKNOWN,
)
SSM_FAULT = _row(
    "STORE-SSM-FAULT",
    "Parameter Store gave an answer that says little",
    "{operation} under {name} gave {code}: {text}",
    "The service has a fault of its own, otelctl knows no such answer, or what stands at {endpoint} is not Parameter "
    "Store.",
    Step("See which endpoint is set.", "env | grep -i -e ^AWS_ENDPOINT_URL -e _proxy="),
    Step("Look at the service's state on https://health.aws.amazon.com and try again."),
    refs=(_PUT,),
    severity=Severity.UNKNOWN,
)
SSM_HALF = _row(
    "STORE-SSM-HALF",
    "One of the two parameters was written, the other not",
    "{written} holds its new value; then AWS refused {operation} ({code}): {text}",
    "Parameter Store writes one parameter at a time, so the two can come apart here. Whoever reads them now gets an "
    "endpoint and headers that may not belong together.",
    Step("Mend what was refused, then push again: what is written already stays.", "otelctl push-secret --to {place}"),
    refs=(_PUT,),
)
SSM_PLAIN = _row(
    "STORE-SSM-PLAIN",
    "A parameter is kept without encryption",
    "{names} in Parameter Store is no SecureString.",
    "Its type was chosen when it was made, and Parameter Store cannot change it. Everybody who may read parameters "
    "reads it, and it shows in the console.",
    Step("Delete it; its history goes too.", "aws ssm delete-parameter --region {region} --name {first}"),
    Step("Then make it anew, encrypted.", "otelctl push-secret --to {place} --create"),
    refs=(_SSM + "userguide/sysman-paramstore-securestring.html",),
    severity=Severity.WARNING,
)

# The write

DECLINED = _row(
    "STORE-NOT-CONFIRMED",
    "Nothing was written there, for the answer was not yes",
    "{place} is as it was.",
    "The question before a write takes y or yes. Anything else, an empty line too, leaves the place alone.",
    Step("Push again, and answer y.", "{again_command}"),
)
CONFLICT = _row(
    "STORE-CONFLICT",
    "Others keep changing the same place",
    "{place} was at version {expected} when read and at {found} when written; every try met another writer.",
    "Somebody, or a job that runs in a loop, writes it over and over, or removed it meanwhile. Nothing of theirs was "
    "overwritten, and nothing of ours is in it.",
    Step("Try again when it has come to rest.", "otelctl push-secret --to {place} --dry-run"),
)
OVERWROTE = _row(
    "STORE-OVERWROTE",
    "Somebody's change was overwritten",
    "{displaced} came between our read and our write.",
    "Parameter Store has no write that fails when somebody was faster: versions are compared just before, and somebody "
    "wrote in the moment between. Their value is in the history.",
    Step("See who it was and when.", "aws ssm get-parameter-history --region {region} --name {first}"),
    refs=(_PUT,),
)
VERIFY = _row(
    "STORE-VERIFY",
    "What was read back is not what was written",
    "{place} holds another text than was written as version {version}.",
    "The place took the write and gives back something else: another program writes it too, or it is a stand-in that "
    "keeps nothing.",
    _LOOK,
)
UNVERIFIED = _row(
    "STORE-UNVERIFIED",
    "The write is done and could not be read back",
    "{place} was written as version {version}; reading it again gave {code}: {text}",
    "The place said yes to the write, and then no longer answered, so it is likely in place and not proven.",
    _LOOK,
    severity=Severity.UNKNOWN,
)

ROWS = (
    FILE_ABSENT,
    FOLDER_ABSENT,
    FILE_DENIED,
    READ_ONLY,
    DISK_FULL,
    FILE_BUSY,
    NOT_A_FILE,
    FILE_TOO_LARGE,
    FILE_FAULT,
    NOT_TEXT,
    LEFTOVER,
    LAYOUT,
    VALUE,
    SHADOWED,
    KEY_CASE,
    NOT_YAML,
    NO_MANIFEST,
    SEVERAL_MANIFESTS,
    IMMUTABLE,
    ENCRYPTED,
    ALIAS,
    SHAPE,
    DUPLICATE_KEYS,
    KEYRING_ABSENT,
    KEYRING_NONE,
    KEYRING_LOCKED,
    KEYRING_REFUSED,
    KEYRING_FOREIGN,
    NO_PAIR,
    SSM_ABSENT,
    SSM_DENIED,
    SSM_KMS,
    SSM_INVALID,
    SSM_LIMIT,
    SSM_THROTTLED,
    SSM_UNREACHABLE,
    SSM_FAULT,
    SSM_HALF,
    SSM_PLAIN,
    DECLINED,
    CONFLICT,
    OVERWROTE,
    VERIFY,
    UNVERIFIED,
)
