"""The statements that fill a history. Everything is spread over a year, the first properties have most of it."""

from __future__ import annotations

_CONSTRAINTS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where (conrelid::regclass::text = any(%(tables)s) or confrelid::regclass::text = any(%(tables)s))
      and conparentid = 0 and contype = {}
"""
FOREIGN = _CONSTRAINTS.format("'f'")
UNIQUE = _CONSTRAINTS.format("any('{p,u}') order by contype")
PLAIN = """
    -- Of a table of months: with its months.
    select indrelid::regclass::text, relname, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
    from pg_index join pg_class on pg_class.oid = indexrelid
    where indrelid::regclass::text = any(%(tables)s)
      and not exists (select from pg_constraint where conindid = indexrelid)
"""
PROPERTIES = (
    """
    create temp table place as
    select n, uuidv7() as id, uuidv7() as scope_id, uuidv7() as test_id, uuidv7() as twilio, uuidv7() as sendgrid
    from generate_series(0, %(properties)s::int - 1) n
    """,
    "insert into properties (id, name, slug) select id, 'Hotel ' || n, 'hotel-' || n from place",
    "insert into scopes (id, property_id, environment) select scope_id, id, 'live' from place"
    " union all select test_id, id, 'test' from place",
    """
    insert into provider_accounts (id, scope_id, provider, identity, base_url)
    select twilio, scope_id, 'twilio', %(twilio)s, 'https://api.twilio.com' from place
    union all select sendgrid, scope_id, 'sendgrid', %(sendgrid)s, 'https://api.sendgrid.com' from place
    """,
    """
    insert into senders (scope_id, account_id, channel, address, is_default)
    select scope_id, twilio, 'sms', '+13055550100', true from place
    union all select scope_id, sendgrid, 'email', 'desk@example.com', true from place
    """,
    """
    insert into api_keys (scope_ids, name, secret_hash, last4, rights)
    select array[scope_id], 'key', sha256(convert_to(scope_id::text || number, 'utf8')), '0000', '{*}'
    from place, generate_series(1, 3) number
    """,
    "insert into endpoints (scope_id, url, secret) select scope_id, 'https://example.com/hook', '\"whsec_x\"'"
    " from place, generate_series(1, 2) where place.n % 2 = 0",
    "create temp table hook as select endpoints.id, scope_id from endpoints",
    "analyze place",
    "analyze hook",
)
# The first of a thousand properties has a tenth of all guests.
GUESTS = (
    """
    create temp table person as
    select drawn.n, place.scope_id, place.twilio, place.sendgrid,
      uuidv7((drawn.n - %(guests)s::int) * make_interval(days => %(days)s::int) / %(guests)s::int) as id,
      '+1212' || (2000000 + drawn.n) as phone, 'guest' || drawn.n || '@example.com' as email,
      pg_temp.hashed('phone', '+1212' || (2000000 + drawn.n)) as phone_hash,
      pg_temp.hashed('email', 'guest' || drawn.n || '@example.com') as email_hash
    from (select n, floor(%(properties)s * power(random(), 3))::int as place
      from generate_series(0, %(guests)s::int - 1) n) drawn join place on place.n = drawn.place
    """,
    "create unique index on person (n)",
    "analyze person",
    """
    insert into guests (id, scope_id, first_name, last_name, email, email_key, phone, search_text)
    select id, scope_id, 'Guest', 'Number ' || n, email, email, phone,
      'guest number ' || n || chr(10) || 'number ' || n || ' guest' || chr(10) || email
    from person order by id
    """,
    """
    insert into contact_points (scope_id, guest_id, kind, address, address_hash)
    select scope_id, id, 'phone', phone, phone_hash from person
    union all select scope_id, id, 'email', email, email_hash from person
    """,
    """
    insert into consents (scope_id, kind, address_hash, action, cause, source)
    select scope_id, 'phone', phone_hash, 'opt_out', 'opt_out', 'guest' from person where n % 20 = 0
    union all select scope_id, 'email', email_hash, 'opt_in', 'opt_in', 'guest' from person
    """,
)
PIECE = """
    create temp table piece as
    select drawn.*, person.scope_id, person.id as guest_id,
      uuidv7(drawn.at - now()) as id, uuidv7(drawn.at - now() + interval '1 second') as attempt_id,
      case when sms then person.phone else person.email end as address,
      case when sms then person.phone_hash else person.email_hash end as hash,
      case when sms then person.twilio else person.sendgrid end as account_id,
      case when sms then 'twilio' else 'sendgrid' end as provider, case when sms then 'sms' else 'email' end as channel,
      case when sms then 'SM' else 'sg' end || md5(drawn.g::text) as provider_id,
      case
        when luck < 0.05 and not inbound and g > %(of)s * 0.9 then 'queued'
        when inbound then 'delivered'
        when luck < 0.06 then 'gave_up' when luck < 0.07 then 'undelivered' when luck < 0.075 then 'cancelled'
        when luck < 0.10 then 'sent' when not sms and luck < 0.5 then 'read' else 'delivered' end as stage
    from (
      select g, now() - make_interval(days => %(days)s::int) * (%(of)s - g)::float8 / %(of)s::bigint as at,
        floor(%(guests)s * random())::int as who, random() as luck, random() < 0.6 as sms, random() < 0.05 as inbound,
        random() < 0.03 as erased, random() * interval '30 days' as ahead
      from generate_series(%(first)s::bigint, %(last)s::bigint) g
    ) drawn join person on person.n = drawn.who
"""
_TRIED = "not inbound and stage not in ('queued', 'cancelled')"
PARTS = (
    """
    insert into messages (id, scope_id, direction, channel, recipient, address_hash, sender, guest_id, guest_ref,
      subject, content, body, scheduled_at, due_at, expires_at, stage, decision, failure_code, provider, sent_at,
      delivered_at, read_at, created_at, updated_at, erased_at)
    select id, scope_id, case when inbound then 'inbound' else 'outbound' end, channel,
      case when not erased then address end, case when not erased then hash end,
      case when inbound and not erased then address end, case when not erased then guest_id end,
      case when not erased then 'gst_' || g end, case when not sms and not erased then 'Your stay' end,
      case when not erased then repeat('Your room is ready. ', 15) end, null,
      case when stage = 'queued' then now() + ahead end, case when stage = 'queued' then now() + ahead else at end,
      case when stage = 'queued' then now() + ahead else at end + interval '3 days', stage,
      case when stage in ('gave_up', 'cancelled') then stage else 'queued' end,
      case when stage in ('gave_up', 'undelivered') then 'unreachable' end, provider,
      case when stage in ('sent', 'delivered', 'read', 'undelivered') and not inbound then at + interval '1 second' end,
      case when stage in ('delivered', 'read') then at + interval '3 seconds' end,
      case when stage = 'read' then at + interval '1 minute' end, at, at,
      case when erased then at + interval '20 days' end
    from piece order by id
    """,
    f"""
    insert into attempts (id, scope_id, message_id, part, account_id, provider, state, stage, lease_until, sender,
      provider_id, body, created_at, settled_at)
    select attempt_id, scope_id, id, 0, account_id, provider,
      case stage when 'gave_up' then 'not_sent' when 'undelivered' then 'undelivered' else 'accepted' end,
      case when stage <> 'gave_up' then stage end, at + interval '16 seconds',
      case when sms then '+13055550100' else 'desk@example.com' end,
      case when stage <> 'gave_up' then provider_id end,
      case when not erased then repeat('Your room is ready. ', 15) end, at + interval '1 second',
      at + interval '1.2 seconds'
    from piece where {_TRIED} order by attempt_id
    """,
    """
    create temp table told as
    select uuidv7(at - now() + step.after) as id, piece.scope_id, piece.id as subject_id, step.type, step.stage,
      at + step.after as at, inbound, luck
    from piece join lateral (values
      ('message.queued', 'queued', interval '0', not inbound),
      ('message.received', 'received', interval '0', inbound),
      ('message.sent', 'sent', interval '1 second', not inbound and piece.stage in ('sent', 'delivered', 'read')),
      ('message.delivered', 'delivered', interval '3 seconds', not inbound and piece.stage in ('delivered', 'read')),
      ('message.failed', 'failed', interval '2 seconds', piece.stage in ('gave_up', 'undelivered'))
    ) step (type, stage, after, told) on step.told
    """,
    """
    insert into events (id, scope_id, subject, subject_id, type, stage, created_at)
    select id, scope_id, case when inbound then 'inbound' else 'message' end, subject_id, type, stage, at
    from told order by id
    """,
    """
    insert into receipts (id, scope_id, account_id, provider, dedupe_key, attempt_id, message_id, word, stage,
      provider_id, payload, received_at)
    select uuidv7(at - now() + said.after), scope_id, account_id, provider, provider_id || ' ' || said.word,
      case when not inbound then attempt_id end, id, said.word, said.stage, provider_id,
      case when at > now() - interval '32 days' and not erased
        then jsonb_build_object('To', address, 'MessageStatus', said.word, 'MessageSid', provider_id,
          'From', '+13055550100', 'ApiVersion', '2010-04-01') end, at + said.after
    from piece join lateral (values
      ('inbound', null, interval '0', piece.inbound), ('sent', 'sent', interval '1 second', not inbound),
      ('delivered', 'delivered', interval '3 seconds', not inbound and piece.stage in ('delivered', 'read')),
      ('open', 'read', interval '1 minute', not inbound and piece.stage = 'read'))
      said (word, stage, after, told) on said.told
    where inbound or piece.stage not in ('queued', 'cancelled', 'gave_up')
    """,
    """
    insert into deliveries (id, scope_id, endpoint_id, event_id, subject_id, state, attempts, next_at,
      last_attempt_at, last_status, delivered_at, created_at)
    select uuidv7(told.at - now()), told.scope_id, hook.id, told.id, subject_id,
      case when luck between 0.500 and 0.505 then 'failed' when luck between 0.505 and 0.506 and at > now() - interval
        '3 days' then 'pending' else 'delivered' end, 1, at, at + interval '0.1 second', 200,
      at + interval '0.1 second', at
    from told join hook on hook.scope_id = told.scope_id
    where told.stage <> 'queued' order by told.id
    """,
    "drop table told",
)
# What a provider told of messages that are not ours, or not any more: found by nothing but the address in it.
UNMATCHED = """
    insert into receipts (account_id, provider, dedupe_key, word, stage, provider_id, payload, received_at)
    select account.id, 'sendgrid', 'stray ' || n, 'delivered', 'delivered', 'stray' || n,
      jsonb_build_object('email', 'guest' || floor(random() * %(guests)s) || '@example.com', 'event', 'delivered',
        'sg_message_id', md5(n::text), 'timestamp', 1760000000 + n),
      now() - random() * interval '30 days'
    from generate_series(1, %(unmatched)s::int) n,
      (select id from provider_accounts where provider = 'sendgrid' order by id limit 1) account
"""
