from django.db import migrations

# A payload may be emptied (`prune.py`), and nothing else may happen to what arrived; what became of it stands beside it.
FORWARD = """
CREATE FUNCTION inbox_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the inbox is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER stripe_event_append_only BEFORE DELETE OR TRUNCATE ON stripe_event
    FOR EACH STATEMENT EXECUTE FUNCTION inbox_is_append_only();
CREATE TRIGGER stripe_event_stays_as_it_came BEFORE UPDATE OF id, type, api_version, payload ON stripe_event
    FOR EACH ROW WHEN (
        (NEW.id, NEW.type, NEW.api_version) IS DISTINCT FROM (OLD.id, OLD.type, OLD.api_version)
        OR (NEW.payload IS DISTINCT FROM OLD.payload AND NEW.payload <> '{}')
    ) EXECUTE FUNCTION inbox_is_append_only();

CREATE TRIGGER braintree_event_append_only BEFORE DELETE OR TRUNCATE ON braintree_event
    FOR EACH STATEMENT EXECUTE FUNCTION inbox_is_append_only();
CREATE TRIGGER braintree_event_stays_as_it_came BEFORE UPDATE OF id, kind, created_at, payload ON braintree_event
    FOR EACH ROW WHEN (
        (NEW.id, NEW.kind, NEW.created_at, NEW.payload)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.created_at, OLD.payload)
    ) EXECUTE FUNCTION inbox_is_append_only();
"""

BACKWARD = """
DROP TRIGGER braintree_event_stays_as_it_came ON braintree_event;
DROP TRIGGER braintree_event_append_only ON braintree_event;
DROP TRIGGER stripe_event_stays_as_it_came ON stripe_event;
DROP TRIGGER stripe_event_append_only ON stripe_event;
DROP FUNCTION inbox_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_braintree_event")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
