-- The append. VOLATILE functions in READ COMMITTED: the first statement locks the head row and waits for whoever
-- holds it; each later statement takes a fresh snapshot, so it sees all that the holder committed. One statement
-- with CTEs would check against a snapshot older than the lock.
--
-- Verdicts: 0 appended, 1 repeated, 2 command id reused, 3 clock, 4 version, 5 reservation.

CREATE FUNCTION {schema}.append_one(
    p_command uuid, p_content bytea, p_rpc text, p_result bytea, p_clock_bound bigint,
    p_stream uuid, p_kind text, p_version bigint, p_prev bytea,
    p_type text, p_recorded_at bigint, p_envelope bytea, p_body bytea, p_leaf bytea, p_traceparent text,
    OUT verdict smallint, OUT first_position bigint, OUT last_position bigint, OUT stream_id uuid, OUT version bigint,
    OUT result bytea, OUT kind text, OUT key bytea, OUT value bytea, OUT counter bigint
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $body$
DECLARE
    v_head bigint;
    v_now bigint;
    v_known {schema}.commands%ROWTYPE;
    v_stream {schema}.stream_heads%ROWTYPE;
BEGIN
    SELECT h.position INTO v_head FROM {schema}.head AS h FOR UPDATE;

    SELECT * INTO v_known FROM {schema}.commands AS c WHERE c.command_id = p_command;
    IF FOUND THEN
        verdict := CASE WHEN v_known.content = p_content THEN 1 ELSE 2 END;
        first_position := v_known.first_position;
        last_position := v_known.last_position;
        stream_id := v_known.stream_id;
        version := v_known.version;
        result := v_known.result;
        RETURN;
    END IF;

    v_now := extract(epoch FROM clock_timestamp()) * 1000000;
    IF abs(v_now - p_recorded_at) > p_clock_bound THEN
        verdict := 3;
        counter := v_now;
        RETURN;
    END IF;

    SELECT * INTO v_stream FROM {schema}.stream_heads AS s WHERE s.stream_id = p_stream;
    IF coalesce(v_stream.version, 0) <> p_version - 1 OR v_stream.leaf_hash <> p_prev THEN
        verdict := 4;
        stream_id := p_stream;
        version := coalesce(v_stream.version, 0);
        RETURN;
    END IF;

    v_head := v_head + 1;
    INSERT INTO {schema}.events (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash, traceparent)
    VALUES (v_head, p_stream, p_version, p_type, p_recorded_at, p_envelope, p_body, p_leaf, p_traceparent);
    IF p_version = 1 THEN
        INSERT INTO {schema}.stream_heads (stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at)
        VALUES (p_stream, p_kind, 1, p_leaf, v_head, v_head, p_recorded_at);
    ELSE
        UPDATE {schema}.stream_heads AS s
        SET version = p_version, leaf_hash = p_leaf, last_position = v_head, recorded_at = p_recorded_at
        WHERE s.stream_id = p_stream;
    END IF;
    INSERT INTO {schema}.commands (command_id, content, rpc, stream_id, version, first_position, last_position, result)
    VALUES (p_command, p_content, p_rpc, p_stream, p_version, v_head, v_head, p_result);
    UPDATE {schema}.head AS h SET position = v_head, leaf_hash = p_leaf;
    verdict := 0;
    first_position := v_head;
    last_position := v_head;
END;
$body$;

-- The group again, when something in it could not be appended: every check before any row, each refusal by itself.
-- Returns one row with command 0: the head before the group; then one row for each command that was not appended.
CREATE FUNCTION {schema}.append_checked(
    c_id uuid[], c_content bytea[], c_rpc text[], c_stream uuid[], c_version bigint[], c_result bytea[],
    c_before integer[], c_events integer[], c_low bigint[], c_high bigint[], p_clock_bound bigint,
    s_command integer[], s_stream uuid[], s_kind text[], s_expected bigint[], s_prev bytea[], s_version bigint[],
    s_leaf bytea[], s_first integer[], s_last integer[], s_recorded_at bigint[],
    r_command integer[], r_act text[], r_kind text[], r_key bytea[], r_value bytea[], r_expected bytea[],
    r_counter bigint[], r_stream uuid[], r_group bytea[],
    e_command integer[], e_offset integer[], e_stream uuid[], e_version bigint[], e_type text[],
    e_recorded_at bigint[], e_envelope bytea[], e_body bytea[], e_leaf bytea[], e_traceparent text[]
) RETURNS TABLE (
    command integer, verdict smallint, first_position bigint, last_position bigint, stream_id uuid, version bigint,
    result bytea, kind text, key bytea, value bytea, counter bigint
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER ROWS 1 AS $body$
DECLARE
    v_before bigint;
    v_head bigint;
    v_now bigint;
    v_base bigint[];
    v_refused boolean[] := array_fill(false, ARRAY[cardinality(c_id)]);
    v_leaf bytea;
BEGIN
    SELECT h.position INTO v_before FROM {schema}.head AS h FOR UPDATE;
    command := 0;
    verdict := 0;
    first_position := v_before;
    RETURN NEXT;

    FOR command, verdict, first_position, last_position, stream_id, version, result IN
        SELECT c.i, CASE WHEN k.content = c_content[c.i] THEN 1 ELSE 2 END,
            k.first_position, k.last_position, k.stream_id, k.version, k.result
        FROM unnest(c_id) WITH ORDINALITY AS c (id, i) JOIN {schema}.commands AS k ON k.command_id = c.id
    LOOP
        v_refused[command] := true;
        RETURN NEXT;
    END LOOP;

    v_now := extract(epoch FROM clock_timestamp()) * 1000000;
    verdict := 3;
    counter := v_now;
    FOR i IN 1 .. cardinality(c_id) LOOP
        IF NOT v_refused[i] AND (c_low[i] < v_now - p_clock_bound OR c_high[i] > v_now + p_clock_bound) THEN
            v_refused[i] := true;
            command := i;
            RETURN NEXT;
        END IF;
    END LOOP;

    verdict := 4;
    FOR command, stream_id, version IN
        SELECT s.command, s.stream, coalesce(h.version, 0)
        FROM unnest(s_command, s_stream, s_expected, s_prev) AS s (command, stream, expected, prev)
        LEFT JOIN {schema}.stream_heads AS h ON h.stream_id = s.stream
        WHERE coalesce(h.version, least(s.expected, 0)) <> s.expected OR h.leaf_hash <> s.prev
    LOOP
        IF NOT v_refused[command] THEN
            v_refused[command] := true;
            RETURN NEXT;
        END IF;
    END LOOP;

    IF r_command IS NOT NULL THEN
        verdict := 5;
        FOR command, kind, key, stream_id, value, counter IN
            SELECT r.command, r.kind, r.key, h.stream_id, h.value, h.counter
            FROM unnest(r_command, r_act, r_kind, r_key, r_expected, r_counter)
                AS r (command, act, kind, key, expected, counter)
            LEFT JOIN {schema}.reservations AS h ON h.kind = r.kind AND h.key = r.key
            WHERE CASE r.act
                WHEN 'claim' THEN h.key IS NOT NULL
                WHEN 'swap' THEN h.value IS DISTINCT FROM r.expected
                ELSE coalesce(h.counter, 0) <> r.counter
            END
        LOOP
            IF NOT v_refused[command] THEN
                v_refused[command] := true;
                RETURN NEXT;
            END IF;
        END LOOP;
    END IF;

    v_head := v_before;
    FOR i IN 1 .. cardinality(c_id) LOOP
        IF v_refused[i] THEN
            v_base[i] := NULL;
        ELSE
            v_base[i] := v_head;
            v_head := v_head + c_events[i];
        END IF;
    END LOOP;

    IF e_command IS NOT NULL AND v_head > v_before THEN
        INSERT INTO {schema}.events
            (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash, traceparent)
        SELECT v_base[e.command] - c_before[e.command] + e.at, e.stream, e.version, e.type, e.recorded_at, e.envelope, e.body, e.leaf,
            e.traceparent
        FROM unnest(e_command, e_offset, e_stream, e_version, e_type, e_recorded_at, e_envelope, e_body, e_leaf,
            e_traceparent)
            AS e (command, at, stream, version, type, recorded_at, envelope, body, leaf, traceparent)
        WHERE NOT v_refused[e.command];
    END IF;

    INSERT INTO {schema}.stream_heads AS h
        (stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at)
    SELECT s.stream, s.kind, s.version, s.leaf, v_base[s.command] - c_before[s.command] + s.first,
        v_base[s.command] - c_before[s.command] + s.last, s.recorded_at
    FROM unnest(s_command, s_stream, s_kind, s_version, s_leaf, s_first, s_last, s_recorded_at)
        AS s (command, stream, kind, version, leaf, first, last, recorded_at)
    WHERE NOT v_refused[s.command]
    ON CONFLICT ON CONSTRAINT stream_heads_pkey DO UPDATE
    SET version = excluded.version, leaf_hash = excluded.leaf_hash, last_position = excluded.last_position,
        recorded_at = excluded.recorded_at;

    INSERT INTO {schema}.commands
        (command_id, content, rpc, stream_id, version, first_position, last_position, result)
    SELECT c.id, c.content, c.rpc, c.stream, c.version,
        CASE WHEN c.events = 0 THEN 0 ELSE v_base[c.i] + 1 END,
        CASE WHEN c.events = 0 THEN 0 ELSE v_base[c.i] + c.events END, c.result
    FROM unnest(c_id, c_content, c_rpc, c_stream, c_version, c_events, c_result) WITH ORDINALITY
        AS c (id, content, rpc, stream, version, events, result, i)
    WHERE NOT v_refused[c.i];

    IF r_command IS NOT NULL THEN
        -- A key that exists is in conflict with a first bump only: a claim of it was refused above.
        INSERT INTO {schema}.reservations AS h (kind, key, value, counter, stream_id, group_key)
        SELECT r.kind, r.key, r.value, r.counter + 1, r.stream, r.group_key
        FROM unnest(r_command, r_act, r_kind, r_key, r_value, r_counter, r_stream, r_group)
            AS r (command, act, kind, key, value, counter, stream, group_key)
        WHERE NOT v_refused[r.command] AND (r.act = 'claim' OR r.act = 'bump' AND r.counter = 0)
        ON CONFLICT ON CONSTRAINT reservations_pkey DO UPDATE SET counter = h.counter + 1;
        UPDATE {schema}.reservations AS h
        SET value = CASE r.act WHEN 'swap' THEN r.value ELSE h.value END,
            counter = CASE r.act WHEN 'bump' THEN h.counter + 1 ELSE h.counter END
        FROM unnest(r_command, r_act, r_kind, r_key, r_value, r_counter)
            AS r (command, act, kind, key, value, counter)
        WHERE NOT v_refused[r.command] AND h.kind = r.kind AND h.key = r.key
            AND (r.act = 'swap' OR r.act = 'bump' AND r.counter > 0);
    END IF;

    IF e_command IS NOT NULL AND v_head > v_before THEN
        SELECT e.leaf_hash INTO v_leaf FROM {schema}.events AS e WHERE e.position = v_head;
        UPDATE {schema}.head AS h SET position = v_head, leaf_hash = v_leaf;
    END IF;
END;
$body$;

-- A group of commands. No two of them share a command id, a stream or a reservation (the committer sees to it), so
-- checking them as sets is the same as checking them one after the other.
-- Tried first as if nothing were wrong: the unique indexes and row counts are the checks, at half the price of asking
-- beforehand. Whatever is wrong undoes the attempt and takes the careful way, still under the lock.
-- Without e_command the events follow by COPY, and advancing the head is the transaction's last statement.
-- Places (c_before, s_first, s_last, e_offset) count the group's events from 1.
CREATE FUNCTION {schema}.append_group(
    c_id uuid[], c_content bytea[], c_rpc text[], c_stream uuid[], c_version bigint[], c_result bytea[],
    c_before integer[], c_events integer[], c_low bigint[], c_high bigint[], p_clock_bound bigint,
    s_command integer[], s_stream uuid[], s_kind text[], s_expected bigint[], s_prev bytea[], s_version bigint[],
    s_leaf bytea[], s_first integer[], s_last integer[], s_recorded_at bigint[],
    r_command integer[], r_act text[], r_kind text[], r_key bytea[], r_value bytea[], r_expected bytea[],
    r_counter bigint[], r_stream uuid[], r_group bytea[],
    e_command integer[], e_offset integer[], e_stream uuid[], e_version bigint[], e_type text[],
    e_recorded_at bigint[], e_envelope bytea[], e_body bytea[], e_leaf bytea[], e_traceparent text[]
) RETURNS TABLE (
    command integer, verdict smallint, first_position bigint, last_position bigint, stream_id uuid, version bigint,
    result bytea, kind text, key bytea, value bytea, counter bigint
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER ROWS 1 AS $body$
DECLARE
    v_before bigint;
    v_now bigint;
    v_head bigint;
    v_count integer;
BEGIN
    SELECT h.position INTO v_before FROM {schema}.head AS h FOR UPDATE;
    BEGIN
        v_now := extract(epoch FROM clock_timestamp()) * 1000000;
        IF v_now - p_clock_bound > ANY (c_low) OR v_now + p_clock_bound < ANY (c_high) THEN
            RAISE EXCEPTION USING ERRCODE = 'LE001';
        END IF;

        INSERT INTO {schema}.commands
            (command_id, content, rpc, stream_id, version, first_position, last_position, result)
        SELECT c.id, c.content, c.rpc, c.stream, c.version,
            CASE WHEN c.events = 0 THEN 0 ELSE v_before + c.before + 1 END,
            CASE WHEN c.events = 0 THEN 0 ELSE v_before + c.before + c.events END, c.result
        FROM unnest(c_id, c_content, c_rpc, c_stream, c_version, c_before, c_events, c_result)
            AS c (id, content, rpc, stream, version, before, events, result);

        IF 0 = ANY (s_expected) THEN
            INSERT INTO {schema}.stream_heads
                (stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at)
            SELECT s.stream, s.kind, s.version, s.leaf, v_before + s.first, v_before + s.last, s.recorded_at
            FROM unnest(s_stream, s_kind, s_expected, s_version, s_leaf, s_first, s_last, s_recorded_at)
                AS s (stream, kind, expected, version, leaf, first, last, recorded_at)
            WHERE s.expected = 0;
        END IF;
        IF 0 <> ANY (s_expected) THEN
            UPDATE {schema}.stream_heads AS h
            SET version = s.version, leaf_hash = s.leaf, last_position = v_before + s.last, recorded_at = s.recorded_at
            FROM unnest(s_stream, s_expected, s_prev, s_version, s_leaf, s_last, s_recorded_at)
                AS s (stream, expected, prev, version, leaf, last, recorded_at)
            WHERE s.expected <> 0 AND h.stream_id = s.stream AND h.version = s.expected
                AND (s.prev IS NULL OR s.prev = h.leaf_hash);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            IF v_count <> cardinality(array_remove(s_expected, 0)) THEN
                RAISE EXCEPTION USING ERRCODE = 'LE001';
            END IF;
        END IF;

        IF 'claim' = ANY (r_act) THEN
            INSERT INTO {schema}.reservations (kind, key, value, stream_id, group_key)
            SELECT r.kind, r.key, r.value, r.stream, r.group_key
            FROM unnest(r_act, r_kind, r_key, r_value, r_stream, r_group)
                AS r (act, kind, key, value, stream, group_key)
            WHERE r.act = 'claim';
        END IF;
        IF 'claim' <> ANY (r_act) THEN
            INSERT INTO {schema}.reservations AS h (kind, key, value, counter)
            SELECT r.kind, r.key, r.value, r.counter + 1
            FROM unnest(r_act, r_kind, r_key, r_value, r_counter) AS r (act, kind, key, value, counter)
            WHERE r.act = 'bump' AND r.counter = 0;
            UPDATE {schema}.reservations AS h
            SET value = CASE r.act WHEN 'swap' THEN r.value ELSE h.value END,
                counter = CASE r.act WHEN 'bump' THEN h.counter + 1 ELSE h.counter END
            FROM unnest(r_act, r_kind, r_key, r_value, r_expected, r_counter)
                AS r (act, kind, key, value, expected, counter)
            WHERE h.kind = r.kind AND h.key = r.key
                AND (r.act = 'swap' AND h.value = r.expected OR r.act = 'bump' AND r.counter > 0 AND h.counter = r.counter);
            GET DIAGNOSTICS v_count = ROW_COUNT;
            IF v_count <> (
                SELECT count(*) FROM unnest(r_act, r_counter) AS r (act, counter)
                WHERE r.act = 'swap' OR r.act = 'bump' AND r.counter > 0
            ) THEN
                RAISE EXCEPTION USING ERRCODE = 'LE001';
            END IF;
        END IF;

        IF cardinality(e_command) > 0 THEN
            INSERT INTO {schema}.events
                (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash, traceparent)
            SELECT v_before + e.at, e.stream, e.version, e.type, e.recorded_at, e.envelope, e.body, e.leaf,
                e.traceparent
            FROM unnest(e_offset, e_stream, e_version, e_type, e_recorded_at, e_envelope, e_body, e_leaf, e_traceparent)
                AS e (at, stream, version, type, recorded_at, envelope, body, leaf, traceparent);
            v_head := v_before + cardinality(e_command);
            UPDATE {schema}.head AS h SET position = v_head, leaf_hash = e_leaf[cardinality(e_leaf)];
        END IF;

        command := 0;
        verdict := 0;
        first_position := v_before;
        RETURN NEXT;
        RETURN;
    EXCEPTION WHEN unique_violation OR SQLSTATE 'LE001' THEN
        NULL;
    END;
    RETURN QUERY SELECT * FROM {schema}.append_checked(
        c_id, c_content, c_rpc, c_stream, c_version, c_result, c_before, c_events, c_low, c_high,
        p_clock_bound, s_command, s_stream, s_kind, s_expected, s_prev, s_version, s_leaf, s_first, s_last,
        s_recorded_at, r_command, r_act, r_kind, r_key, r_value, r_expected, r_counter, r_stream, r_group,
        e_command, e_offset, e_stream, e_version, e_type, e_recorded_at, e_envelope, e_body, e_leaf,
        e_traceparent
    );
END;
$body$;
