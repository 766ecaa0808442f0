"""Which actions may be carried out now: as SQL, for who takes them and for who asks when something falls due. Pure."""

# In the order of their ranks within one decision; not what is stopped; nothing at a processor that does not answer.
READY = """
done_at IS NULL
AND NOT EXISTS (
    SELECT 1 FROM dunning_action earlier
    WHERE earlier.decision_id = dunning_action.decision_id AND earlier.rank < dunning_action.rank
    AND earlier.done_at IS NULL
)
AND NOT EXISTS (SELECT 1 FROM dunning_brake WHERE dunning_brake.kind = dunning_action.kind AND is_stopped)
AND (kind = 'notify' OR NOT EXISTS (SELECT 1 FROM processor_outage WHERE processor = 'stripe' AND ended_at IS NULL))
"""
