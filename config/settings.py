"""
Settings. They read the environment only, and can be imported with nothing running.

`.env.example` lists every variable. The local profile has workable defaults for all of them
(`manage.py up` and the tests fill in what they start); the production profile demands them.
"""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urljoin

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config import environment, logs
from config.queue_address import SANDBOX_ACCOUNT, SANDBOX_QUEUE, SANDBOX_TOKEN

BASE_DIR = Path(__file__).resolve().parent.parent

PROFILE = environment.choice("PAYGO_PROFILE", ("local", "production"), default="local")
IS_LOCAL = PROFILE == "local"
DATA_DIR = environment.directory("PAYGO_DATA_DIR", default=BASE_DIR / ".local")

# Secrets ------------------------------------------------------------------------------------------
SECRET_KEY = environment.text("SECRET_KEY", default=get_random_secret_key() if IS_LOCAL else None, at_least=50)
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS", default=())
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default=("localhost", "127.0.0.1", "[::1]") if IS_LOCAL else None)
# False everywhere: Django's debug page prints local variables, and those hold personal data.
DEBUG = False

# Stripe -------------------------------------------------------------------------------------------
SANDBOX_API_KEY = "sk_test_sandbox"
STRIPE_API_KEY = environment.text("STRIPE_API_KEY", default=SANDBOX_API_KEY if IS_LOCAL else None)
# Empty: Stripe's own address, the SDK's default.
STRIPE_API_BASE = (
    environment.url("STRIPE_API_BASE", ("http", "https"), default="http://127.0.0.1:12111")
    if IS_LOCAL or environment.is_given("STRIPE_API_BASE")
    else ""
)
# More than one while a secret is being rolled: an event signed with any of them is accepted.
STRIPE_WEBHOOK_SECRETS = environment.words("STRIPE_WEBHOOK_SECRETS", default=("whsec_sandbox",) if IS_LOCAL else None)
if not IS_LOCAL and STRIPE_API_KEY == SANDBOX_API_KEY:
    raise ImproperlyConfigured("STRIPE_API_KEY is the sandbox's key; the production profile needs a key of Stripe's.")

# Cloudflare Queues --------------------------------------------------------------------------------
# The registrar's events. No queue: none are read. Locally the sandbox keeps one.
_HAS_SANDBOX = IS_LOCAL and STRIPE_API_KEY == SANDBOX_API_KEY
CF_QUEUES_API_BASE = (
    environment.url("CF_QUEUES_API_BASE", ("https", "http"))
    if environment.is_given("CF_QUEUES_API_BASE")
    else f"{STRIPE_API_BASE}/client/v4"
    if _HAS_SANDBOX
    else ""
)
CF_QUEUES_ACCOUNT_ID = environment.text(
    "CF_QUEUES_ACCOUNT_ID", default=SANDBOX_ACCOUNT if _HAS_SANDBOX else "", at_least=0
)
CF_QUEUES_QUEUE_ID = environment.text("CF_QUEUES_QUEUE_ID", default=SANDBOX_QUEUE if _HAS_SANDBOX else "", at_least=0)
CF_QUEUES_API_TOKEN = environment.text("CF_QUEUES_API_TOKEN", default=SANDBOX_TOKEN if _HAS_SANDBOX else "", at_least=0)
if CF_QUEUES_QUEUE_ID and not (CF_QUEUES_ACCOUNT_ID and CF_QUEUES_API_TOKEN):
    raise ImproperlyConfigured("CF_QUEUES_QUEUE_ID needs CF_QUEUES_ACCOUNT_ID and CF_QUEUES_API_TOKEN beside it.")

# Events of Stripe's that come through Pub/Sub: the bearer token of the push subscription. Empty: that door is closed.
PUBSUB_TOKEN = environment.text("PUBSUB_TOKEN", default="", at_least=0)

# Braintree ----------------------------------------------------------------------------------------
# PayPal's processor. Without a private key its door is closed.
BRAINTREE_ENVIRONMENT = environment.choice("BRAINTREE_ENVIRONMENT", ("sandbox", "production"), default="sandbox")
BRAINTREE_MERCHANT_ID = environment.text("BRAINTREE_MERCHANT_ID", default="", at_least=0)
BRAINTREE_PUBLIC_KEY = environment.text("BRAINTREE_PUBLIC_KEY", default="", at_least=0)
BRAINTREE_PRIVATE_KEY = environment.text("BRAINTREE_PRIVATE_KEY", default="", at_least=0)
if BRAINTREE_PRIVATE_KEY and not (BRAINTREE_MERCHANT_ID and BRAINTREE_PUBLIC_KEY):
    raise ImproperlyConfigured("BRAINTREE_PRIVATE_KEY needs BRAINTREE_MERCHANT_ID and BRAINTREE_PUBLIC_KEY beside it.")

# What Prometheus shows at /metrics; empty: only staff may look.
METRICS_TOKEN = environment.text("METRICS_TOKEN", default="", at_least=0).encode()

# Stores -------------------------------------------------------------------------------------------
_OUR_CONNECTIONS = {
    # One connection per thread, kept, and looked at before each request: a pool would let requests
    # queue behind its background reconnects after PostgreSQL was killed; this asks the server at once.
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        "application_name": "paygo",
        "connect_timeout": 3,
        # An account's lock is short; who waits longer answers "busy" or gives the row back.
        "options": "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=60000",
    },
}
DATABASES = {
    "default": environment.database("DATABASE_URL") | _OUR_CONNECTIONS
    if environment.is_given("DATABASE_URL") or not IS_LOCAL
    # Commands that read no data (`check`, `makemigrations`) run with nothing started.
    else {"ENGINE": "django.db.backends.dummy"}
}
REDIS_URL = environment.url(
    "REDIS_URL", ("redis", "rediss", "unix"), default="redis://127.0.0.1:16379/0" if IS_LOCAL else None
)
CACHE_URL = environment.url(
    "CACHE_URL", ("redis", "rediss", "unix"), default="redis://127.0.0.1:16379/1" if IS_LOCAL else None
)
# Services read what happened from streams in REDIS_URL, or from Kafka where there is one.
KAFKA_BOOTSTRAP = environment.text("KAFKA_BOOTSTRAP") if environment.is_given("KAFKA_BOOTSTRAP") else ""
KAFKA_OPTIONS = environment.words("KAFKA_OPTIONS", default=())
EVENT_STREAM_MAX_LENGTH = environment.number("EVENT_STREAM_MAX_LENGTH", default=100_000)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "django",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1.0},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Applications -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "unfold.apps.BasicAppConfig",
    "config.apps.NinjaPanelConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "accounts",
    "entitlements",
    "billing",
    "dunning",
    "webhooks",
]
if IS_LOCAL and find_spec("django_migration_linter"):
    INSTALLED_APPS.append("django_migration_linter")  # `lintmigrations`, for who writes them; not in production
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.RequestId",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a locked-out login into its answer
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# The public API's paths have no trailing slash; a redirect would lose the body of a POST.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Logins: NinjaPanel only. Customers and services come with tokens.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/ninja/login/"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1  # hours
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "config.api_errors.handle",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "DEFAULT_SCHEMA_CLASS": "config.openapi.describe.Described",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}},
    "DISABLE_ERRORS_AND_WARNINGS": False,
}

# Notices by e-mail --------------------------------------------------------------------------------
# Locally they are written to standard error: the worker's is its log.
MAIL_SERVER = environment.mail_server("EMAIL_URL") if environment.is_given("EMAIL_URL") or not IS_LOCAL else {}
EMAIL_BACKEND = str(MAIL_SERVER.get("EMAIL_BACKEND", "config.mail.EmailBackend"))
EMAIL_HOST = str(MAIL_SERVER.get("EMAIL_HOST", ""))
EMAIL_PORT = int(str(MAIL_SERVER.get("EMAIL_PORT") or 25))
EMAIL_HOST_USER = str(MAIL_SERVER.get("EMAIL_HOST_USER") or "")
EMAIL_HOST_PASSWORD = str(MAIL_SERVER.get("EMAIL_HOST_PASSWORD") or "")
EMAIL_USE_TLS = bool(MAIL_SERVER.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(MAIL_SERVER.get("EMAIL_USE_SSL"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", default="PayGO <billing@localhost>" if IS_LOCAL else None)
# Who is told of what only people can settle: contracts that are overdue.
FINANCE_EMAIL = environment.text("FINANCE_EMAIL", default=DEFAULT_FROM_EMAIL)
# Where customers do what an e-mail asks them to, and where NinjaPanel is for our own people. On one machine
# `config/local_dashboard.py` stands in for the Dashboard.
DASHBOARD_URL = environment.url(
    "DASHBOARD_URL", ("https", "http"), default="http://localhost:8000/dashboard" if IS_LOCAL else None
).rstrip("/")
PANEL_URL = environment.url("PANEL_URL", ("https", "http"), default=urljoin(DASHBOARD_URL, "/")).rstrip("/")

# Who sells, as it stands on invoices and receipts; the lines of the address are parted by |.
COMPANY_NAME = environment.text("COMPANY_NAME", default="PayGO Inc." if IS_LOCAL else None)
COMPANY_ADDRESS = [
    line.strip()
    for line in environment.text(
        "COMPANY_ADDRESS", default="101 Townsend Street|San Francisco, CA 94107|United States" if IS_LOCAL else None
    ).split("|")
]
COMPANY_TAX_ID = environment.text("COMPANY_TAX_ID", default="US 12-3456789" if IS_LOCAL else "", at_least=0)
# Where letters are found that Roboto lacks, such as 漢字: files, the first that has a letter draws it.
PAPER_FONTS = [
    Path(file)
    for file in environment.text(
        "PAPER_FONTS",
        default="/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf|/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    ).split("|")
    if Path(file.strip()).is_file()
]

# Time, files, sizes -------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
# For notices, each in its account's language: no middleware asks a browser for one, so all else stays English.
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
# Collected for production; a fresh clone serves them from where they lie.
STATIC_ROOT = None if IS_LOCAL else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = IS_LOCAL
if not IS_LOCAL:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
# Bytes. The largest honest body is a usage batch; webhooks have their own, smaller limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Transport ----------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
if not IS_LOCAL:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked for by the load balancer, inside
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = logs.configure(as_json=not IS_LOCAL)
