;; One recursive pass over the sorted items, as `one_pass.py` makes it in Python: see there for the rules. Nodes are
;; never changed: a pass makes new ones beside those that they replace, and which of the two stay is decided later.
;;
;; A subtree's new node lies on the stack (entries of its children, then its encoding) until the parent that keeps it
;; gives it a place in memory; until then it may still melt into its parent.

(global $r (mut i32) (i32.const 0))          ;; the subtree: 0 gone, 1 as before, 2 the node that follows
(global $r_at (mut i32) (i32.const 0))
(global $r_length (mut i32) (i32.const 0))
(global $r_entries (mut i32) (i32.const 0))
(global $r_count (mut i32) (i32.const 0))

(global $keeps (mut i32) (i32.const 1))      ;; 0: only the root's hash is wanted
(global $missing (mut i32) (i32.const 0))    ;; nodes that are not in memory and have to be, noted from f00000 on
(global $seeks (mut i32) (i32.const 0))      ;; 1: only what is missing is wanted, and nothing is put together
(global $gone (mut i32) (i32.const 0))       ;; paths of branches that are no more, noted from 0c0000 on

;; The item with which the path to a node begins, how many of its nibbles, the nibble that follows.
(func $note_gone (param $index i32) (param $end i32) (param $nibble i32)
  (local $at i32)
  (if (i32.ge_u (global.get $gone) (i32.const 20000))
    (then (global.set $stop (i32.const 2)) (return)))
  (local.set $at (i32.add (i32.const 0xc0000) (i32.mul (global.get $gone) (i32.const 12))))
  (i32.store (local.get $at) (local.get $index))
  (i32.store offset=4 (local.get $at) (local.get $end))
  (i32.store offset=8 (local.get $at) (local.get $nibble))
  (global.set $gone (i32.add (global.get $gone) (i32.const 1))))

;; The same path, the entry that shall hold the node, and its hash.
(func $note_missing (param $index i32) (param $end i32) (param $nibble i32) (param $entry i32) (param $hash i32)
  (local $at i32)
  (if (i32.ge_u (global.get $missing) (i32.const 0x40000))
    (then (global.set $stop (i32.const 2)) (return)))
  (local.set $at (i32.add (i32.const 0xf00000) (i32.mul (global.get $missing) (i32.const 48))))
  (i32.store (local.get $at) (local.get $index))
  (i32.store offset=4 (local.get $at) (local.get $end))
  (i32.store offset=8 (local.get $at) (local.get $nibble))
  (i32.store offset=12 (local.get $at) (local.get $entry))
  (memory.copy (i32.add (local.get $at) (i32.const 16)) (local.get $hash) (i32.const 32))
  (global.set $missing (i32.add (global.get $missing) (i32.const 1))))

;; Whether the pass gives no root, or cannot any more; it may still go on to see what else is missing.
(func $halted (result i32)
  (i32.or (global.get $seeks) (i32.or (global.get $stop) (global.get $missing))))

(func $as_before (param $sp i32)
  (global.set $sp (local.get $sp))
  (global.set $r (i32.const 1)))

;; What lies on the stack from `from` on, entries of `count` children and an encoding, goes to `to` and is the result.
(func $finish (param $to i32) (param $from i32) (param $count i32)
  (local $size i32)
  (local.set $size (i32.sub (global.get $sp) (local.get $from)))
  (if (i32.ne (local.get $to) (local.get $from))
    (then (memory.copy (local.get $to) (local.get $from) (local.get $size))))
  (global.set $r (i32.const 2))
  (global.set $r_entries (local.get $to))
  (global.set $r_count (local.get $count))
  (global.set $r_at (i32.add (local.get $to) (i32.shl (local.get $count) (i32.const 2))))
  (global.set $r_length (i32.sub (local.get $size) (i32.shl (local.get $count) (i32.const 2))))
  (global.set $sp
    (i32.and (i32.add (i32.add (local.get $to) (local.get $size)) (i32.const 7)) (i32.const -8))))

;; ── leaves ──

(func $leaf_of (param $item i32) (param $at i32) (param $kind i32) (param $value i32) (param $length i32)
  (local $start i32) (local $key i32) (local $nibbles i32) (local $skip i32)
  (local.set $start (global.get $sp))
  (local.set $key (i32.load (local.get $item)))
  (local.set $nibbles (i32.load offset=4 (local.get $item)))
  (if (i32.eqz
        (call $room (i32.add (i32.add (local.get $nibbles) (local.get $length)) (i32.const 300))))
    (then (global.set $r (i32.const 1)) (return)))
  (call $put_header
    (select (i32.const 0x20) (i32.const 0x40) (i32.eq (local.get $kind) (i32.const 2)))
    (i32.sub (local.get $nibbles) (local.get $at)))
  (if (i32.and (local.get $at) (i32.const 1))
    (then
      (call $put
        (i32.and
          (i32.load8_u (i32.add (local.get $key) (i32.shr_u (local.get $at) (i32.const 1))))
          (i32.const 15)))))
  (local.set $skip (i32.shr_u (i32.add (local.get $at) (i32.const 1)) (i32.const 1)))
  (call $put_bytes
    (i32.add (local.get $key) (local.get $skip))
    (i32.sub (i32.shr_u (local.get $nibbles) (i32.const 1)) (local.get $skip)))
  (call $put_value (local.get $kind) (local.get $value) (local.get $length))
  (call $finish (local.get $start) (local.get $start) (i32.const 0)))

;; The leaf that holds the rest of an item's key, from nibble `at` on.
(func $leaf (param $index i32) (param $at i32)
  (local $item i32)
  (local.set $item (call $item (local.get $index)))
  (call $leaf_of (local.get $item) (local.get $at) (i32.load offset=16 (local.get $item))
    (i32.load offset=8 (local.get $item)) (i32.load offset=12 (local.get $item))))

;; Whether this hash is that of the leaf with an item's old value.
(func $was_leaf (param $index i32) (param $at i32) (param $hash i32) (result i32)
  (local $item i32) (local $sp i32) (local $value i32) (local $length i32) (local $kind i32)
  (local.set $item (call $item (local.get $index)))
  (local.set $sp (global.get $sp))
  (local.set $value (i32.load offset=20 (local.get $item)))
  (local.set $length (i32.load offset=24 (local.get $item)))
  (local.set $kind (i32.const 3))
  (if (i32.and (i32.ne (global.get $version) (i32.const 0)) (i32.ge_u (local.get $length) (i32.const 33)))
    (then
      (call $blake2b (local.get $value) (local.get $length) (i32.const 0x40))
      (local.set $value (i32.const 0x40))
      (local.set $length (i32.const 32))
      (local.set $kind (i32.const 2))))
  (call $leaf_of (local.get $item) (local.get $at) (local.get $kind) (local.get $value) (local.get $length))
  (global.set $sp (local.get $sp))
  (if (i32.eq (global.get $r) (i32.const 1)) (then (return (i32.const 0))))
  (call $blake2b (global.get $r_at) (global.get $r_length) (i32.const 0x40))
  (i32.and
    (i32.and
      (i64.eq (i64.load (i32.const 0x40)) (i64.load (local.get $hash)))
      (i64.eq (i64.load (i32.const 0x48)) (i64.load offset=8 (local.get $hash))))
    (i32.and
      (i64.eq (i64.load (i32.const 0x50)) (i64.load offset=16 (local.get $hash)))
      (i64.eq (i64.load (i32.const 0x58)) (i64.load offset=24 (local.get $hash))))))

;; ── the sixteen children while a node is worked on ──
;;
;; A frame of sixteen times eight u32: 0 none / 1 as before / 2 new, plus 0x100 if there was a branch with a hash
;; here before; where the reference (1) or the node (2) is; its length; its entry (1; 0: none) or its children's
;; entries (2); how many those are (2).

(func $slot (param $frame i32) (param $index i32) (result i32)
  (i32.add (local.get $frame) (i32.shl (local.get $index) (i32.const 5))))

;; From the node that was parsed last.
(func $fill (param $frame i32) (param $entries i32)
  (local $bitmap i32) (local $at i32) (local $length i32)
  (memory.fill (local.get $frame) (i32.const 0) (i32.const 512))
  (local.set $bitmap (global.get $bitmap))
  (local.set $at (global.get $refs))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $bitmap)))
      (if (i32.and (local.get $bitmap) (i32.const 1))
        (then
          (local.set $length
            (i32.add (i32.const 1) (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 2))))
          (i32.store (local.get $frame) (i32.const 1))
          (i32.store offset=4 (local.get $frame) (local.get $at))
          (i32.store offset=8 (local.get $frame) (local.get $length))
          (i32.store offset=12 (local.get $frame) (local.get $entries))
          (if (local.get $entries) (then (local.set $entries (i32.add (local.get $entries) (i32.const 4)))))
          (local.set $at (i32.add (local.get $at) (local.get $length)))))
      (local.set $frame (i32.add (local.get $frame) (i32.const 32)))
      (local.set $bitmap (i32.shr_u (local.get $bitmap) (i32.const 1)))
      (br $next))))

;; The result of a child goes into its slot.
(func $take (param $slot i32) (param $was_branch i32)
  (i32.store (local.get $slot)
    (i32.or (global.get $r) (i32.shl (local.get $was_branch) (i32.const 8))))
  (i32.store offset=4 (local.get $slot) (global.get $r_at))
  (i32.store offset=8 (local.get $slot) (global.get $r_length))
  (i32.store offset=12 (local.get $slot) (global.get $r_entries))
  (i32.store offset=16 (local.get $slot) (global.get $r_count)))

;; Take the items to the children; whether any of these changes. `end`: where the node's own path ends.
(func $children (param $frame i32) (param $end i32) (param $low i32) (param $high i32) (param $depth i32)
  (result i32)
  (local $stop i32) (local $nibble i32) (local $slot i32) (local $state i32) (local $at i32) (local $entry i32)
  (local $node i32) (local $branch i32) (local $changed i32) (local $old i32) (local $single i32)
  (if (i32.ge_u (local.get $depth) (i32.const 200))
    (then (global.set $stop (i32.const 3)) (return (i32.const 0))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $low) (local.get $high)))
      (br_if $done (global.get $stop))
      (local.set $nibble (call $key_nibble (local.get $low) (local.get $end)))
      (local.set $stop (call $run_end (local.get $low) (local.get $high) (local.get $end)))
      (local.set $slot (call $slot (local.get $frame) (local.get $nibble)))
      (local.set $state (i32.load (local.get $slot)))
      (local.set $at (i32.load offset=4 (local.get $slot)))
      (local.set $branch (i32.const 0))
      (block $found
        (if (i32.eqz (local.get $state))
          (then
            (call $build (i32.add (local.get $end) (i32.const 1)) (local.get $low) (local.get $stop)
              (i32.add (local.get $depth) (i32.const 1)))
            (if (i32.eqz (global.get $r)) (then (global.set $r (i32.const 1))))
            (br $found)))
        (if (i32.eq (local.get $state) (i32.const 2))
          (then
            (call $update (local.get $at) (i32.load offset=8 (local.get $slot))
              (i32.load offset=12 (local.get $slot)) (i32.load offset=16 (local.get $slot))
              (i32.add (local.get $end) (i32.const 1)) (local.get $low) (local.get $stop)
              (i32.add (local.get $depth) (i32.const 1)))
            (br $found)))
        (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x80))
          (then
            (call $update (i32.add (local.get $at) (i32.const 1))
              (i32.sub (i32.load offset=8 (local.get $slot)) (i32.const 1)) (i32.const 0) (i32.const 0)
              (i32.add (local.get $end) (i32.const 1)) (local.get $low) (local.get $stop)
              (i32.add (local.get $depth) (i32.const 1)))
            (br $found)))
        (local.set $entry (i32.load offset=12 (local.get $slot)))
        (local.set $node (i32.load (local.get $entry)))
        (local.set $single (i32.eq (i32.sub (local.get $stop) (local.get $low)) (i32.const 1)))
        (local.set $old (i32.load offset=28 (call $item (local.get $low))))
        (if (i32.and (i32.eqz (local.get $node))
              (i32.and (local.get $single) (i32.eq (local.get $old) (i32.const 2))))
          (then
            (if (call $was_leaf (local.get $low) (i32.add (local.get $end) (i32.const 1))
                  (i32.add (local.get $at) (i32.const 1)))
              (then
                (local.set $node (i32.const 1))
                (i32.store (local.get $entry) (i32.const 1))))))
        (if (i32.and (i32.eq (local.get $node) (i32.const 1))
              (i32.and (local.get $single) (i32.ne (local.get $old) (i32.const 0))))
          (then
            ;; Another value for the leaf of a key that was there: what most changes are.
            (if (call $deletes (local.get $low))
              (then (global.set $r (i32.const 0)))
              (else (call $leaf (local.get $low) (i32.add (local.get $end) (i32.const 1)))))
            (br $found)))
        (if (i32.lt_u (local.get $node) (i32.const 2))
          (then
            (call $note_missing (local.get $low) (local.get $end) (local.get $nibble) (local.get $entry)
              (i32.add (local.get $at) (i32.const 1)))
            (global.set $r (i32.const 1))
            (br $found)))
        (local.set $at (call $encoding (local.get $node)))
        (local.set $branch (i32.eqz (call $is_leaf (local.get $at))))
        (call $update (local.get $at) (i32.load (local.get $node))
          (i32.add (local.get $node) (i32.const 8)) (i32.load16_u offset=4 (local.get $node))
          (i32.add (local.get $end) (i32.const 1)) (local.get $low) (local.get $stop)
          (i32.add (local.get $depth) (i32.const 1)))
        (if (i32.and (i32.ne (global.get $r) (i32.const 1)) (i32.eqz (call $halted)))
          (then (call $note_replaced (local.get $node)))))
      (if (i32.ne (global.get $r) (i32.const 1))
        (then
          (call $take (local.get $slot) (local.get $branch))
          (local.set $changed (i32.const 1))))
      (local.set $low (local.get $stop))
      (br $next)))
  (local.get $changed))

;; The node with this encoding, whose path has `at` nibbles, after the items.
(func $update (param $node i32) (param $length i32) (param $entries i32) (param $entry_count i32) (param $at i32)
  (param $low i32) (param $high i32) (param $depth i32)
  (local $start i32) (local $kind i32) (local $count i32) (local $partial i32) (local $along i32) (local $other i32)
  (local $value i32) (local $value_at i32) (local $value_length i32) (local $first i32) (local $own i32)
  (local $changed i32) (local $rest i32) (local $shorter i32) (local $slot i32) (local $i i32)
  (local.set $start (global.get $sp))
  (local.set $first (local.get $low))
  (if (i32.or (global.get $stop)
        (i32.eqz (call $room (i32.add (i32.const 1024) (local.get $length)))))
    (then (call $as_before (local.get $start)) (return)))
  (call $parse (local.get $node))
  (local.set $kind (global.get $kind))
  (local.set $count (global.get $count))
  (local.set $partial (global.get $partial))
  (local.set $value (global.get $value))
  (local.set $value_at (global.get $value_at))
  (local.set $value_length (global.get $value_length))
  (global.set $sp (i32.add (local.get $start) (i32.const 512)))
  (if (local.get $count)
    (then
      (local.set $along (call $along (local.get $low) (local.get $at) (local.get $partial) (local.get $count)))
      (local.set $other
        (call $along (i32.sub (local.get $high) (i32.const 1)) (local.get $at) (local.get $partial)
          (local.get $count)))
      (if (i32.lt_u (local.get $other) (local.get $along)) (then (local.set $along (local.get $other))))))
  (if (i32.eq (local.get $along) (local.get $count))
    (then
      (call $fill (local.get $start) (local.get $entries)))
    (else
      ;; Some items leave the partial key: a branch at the fork takes the node's place, unless all of these delete.
      (local.set $i (local.get $low))
      (block $forks
        (loop $next
          (br_if $forks (i32.eqz (call $deletes (local.get $i))))
          (br_if $forks
            (i32.eq (local.get $count)
              (call $along (local.get $i) (local.get $at) (local.get $partial) (local.get $count))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (local.get $high))))
        (call $as_before (local.get $start))
        (return))
      (memory.fill (local.get $start) (i32.const 0) (i32.const 512))
      (local.set $shorter (global.get $sp))
      (global.set $nibbles (i32.const 0x10000))
      (call $nibbles_of_partial (local.get $partial) (local.get $count)
        (i32.add (local.get $along) (i32.const 1)) (local.get $count))
      (call $put_head (local.get $kind))
      (local.set $rest
        (i32.add (local.get $partial)
          (i32.shr_u (i32.add (local.get $count) (i32.const 1)) (i32.const 1))))
      (call $put_bytes (local.get $rest)
        (i32.sub (i32.add (local.get $node) (local.get $length)) (local.get $rest)))
      (local.set $slot
        (call $slot (local.get $start)
          (call $partial_nibble (local.get $partial) (local.get $count) (local.get $along))))
      (i32.store (local.get $slot) (i32.const 2))
      (i32.store offset=4 (local.get $slot) (local.get $shorter))
      (i32.store offset=8 (local.get $slot) (i32.sub (global.get $sp) (local.get $shorter)))
      (i32.store offset=12 (local.get $slot) (local.get $entries))
      (i32.store offset=16 (local.get $slot) (local.get $entry_count))
      (global.set $sp (i32.and (i32.add (global.get $sp) (i32.const 7)) (i32.const -8)))
      (local.set $value (i32.const 0))
      (local.set $value_length (i32.const 0))
      (local.set $changed (i32.const 1))))
  (local.set $at (i32.add (local.get $at) (local.get $along)))
  (if (i32.eq (call $key_length (local.get $low)) (local.get $at))
    (then
      (local.set $own (i32.const 1))
      (local.set $slot (call $item (local.get $low)))
      (local.set $value (i32.load offset=16 (local.get $slot)))
      (local.set $value_at (i32.load offset=8 (local.get $slot)))
      (local.set $value_length (i32.load offset=12 (local.get $slot)))
      (local.set $low (i32.add (local.get $low) (i32.const 1)))))
  (if (i32.lt_u (local.get $low) (local.get $high))
    (then
      (local.set $changed
        (i32.or (local.get $changed)
          (call $children (local.get $start) (local.get $at) (local.get $low) (local.get $high)
            (local.get $depth))))))
  (if (i32.or (call $halted) (i32.eqz (i32.or (local.get $changed) (local.get $own))))
    (then (call $as_before (local.get $start)) (return)))
  (global.set $nibbles (i32.const 0x10000))
  (call $nibbles_of_partial (local.get $partial) (local.get $count) (i32.const 0) (local.get $along))
  (call $rebuilt (local.get $start) (local.get $value) (local.get $value_at) (local.get $value_length)
    (local.get $first) (local.get $at))
  (if (i32.and (i32.eqz (local.get $changed))
        (i32.and (i32.eq (global.get $r) (i32.const 2)) (i32.eq (global.get $r_length) (local.get $length))))
    (then
      (if (call $same (global.get $r_at) (local.get $node) (local.get $length))
        (then (call $as_before (local.get $start)))))))

(func $same (param $a i32) (param $b i32) (param $length i32) (result i32)
  (local $end i32)
  (local.set $end (i32.add (local.get $a) (local.get $length)))
  (loop $next
    (if (i32.ge_u (local.get $a) (local.get $end)) (then (return (i32.const 1))))
    (if (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))) (then (return (i32.const 0))))
    (local.set $a (i32.add (local.get $a) (i32.const 1)))
    (local.set $b (i32.add (local.get $b) (i32.const 1)))
    (br $next))
  (unreachable))

;; The node with the children of its frame and the partial key put together, canonical: gone, a leaf, melted into its
;; only child, or a branch. The item and `end` tell the path. It goes where the frame is.
(func $rebuilt (param $frame i32) (param $value i32) (param $value_at i32) (param $value_length i32)
  (param $index i32) (param $end i32)
  (local $i i32) (local $slot i32) (local $state i32) (local $count i32) (local $last i32) (local $bitmap i32)
  (local $from i32) (local $entry i32) (local $at i32) (local $length i32) (local $kept i32)
  (if (i32.eqz
        (call $room (i32.add (i32.const 0x9000) (local.get $value_length))))
    (then (call $as_before (local.get $frame)) (return)))
  (loop $next
    (local.set $state (i32.load (call $slot (local.get $frame) (local.get $i))))
    (if (i32.and (local.get $state) (i32.const 3))
      (then
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (local.set $bitmap (i32.or (local.get $bitmap) (i32.shl (i32.const 1) (local.get $i))))
        (local.set $last (local.get $i))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (i32.const 16))))
  ;; branches that were here before
  (local.set $i (i32.const 0))
  (loop $next
    (local.set $slot (call $slot (local.get $frame) (local.get $i)))
    (if (i32.and (i32.load (local.get $slot)) (i32.const 0x100))
      (then
        (local.set $kept (i32.const 0))
        (if (i32.and (i32.eq (i32.load (local.get $slot)) (i32.const 0x102))
              (i32.ge_u (i32.load offset=8 (local.get $slot)) (i32.const 32)))
          (then (local.set $kept (i32.eqz (call $is_leaf (i32.load offset=4 (local.get $slot)))))))
        (if (i32.and (i32.eq (local.get $count) (i32.const 1)) (i32.eqz (local.get $value)))
          (then (local.set $kept (i32.const 0))))
        (if (i32.eqz (local.get $kept))
          (then (call $note_gone (local.get $index) (local.get $end) (local.get $i))))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (i32.const 16))))
  (local.set $from (global.get $sp))
  (if (i32.eqz (local.get $count))
    (then
      (if (i32.eqz (local.get $value))
        (then (global.set $sp (local.get $frame)) (global.set $r (i32.const 0)) (return)))
      (call $put_head
        (select (i32.const 0x20) (i32.const 0x40) (i32.eq (local.get $value) (i32.const 2))))
      (call $put_value (local.get $value) (local.get $value_at) (local.get $value_length))
      (call $finish (local.get $frame) (local.get $from) (i32.const 0))
      (return)))
  (if (i32.and (i32.eq (local.get $count) (i32.const 1)) (i32.eqz (local.get $value)))
    (then
      (call $melted (local.get $frame) (local.get $last) (local.get $index) (local.get $end))
      (return)))
  (local.set $entry (local.get $from))
  (global.set $sp (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 2))))
  (call $put_head
    (if (result i32) (i32.eqz (local.get $value))
      (then (i32.const 0x80))
      (else (select (i32.const 0x10) (i32.const 0xc0) (i32.eq (local.get $value) (i32.const 2))))))
  (i32.store16 (global.get $sp) (local.get $bitmap))
  (global.set $sp (i32.add (global.get $sp) (i32.const 2)))
  (call $put_value (local.get $value) (local.get $value_at) (local.get $value_length))
  (local.set $slot (local.get $frame))
  (loop $next
    (if (i32.and (local.get $bitmap) (i32.const 1))
      (then
        (local.set $at (i32.load offset=4 (local.get $slot)))
        (local.set $length (i32.load offset=8 (local.get $slot)))
        (i32.store (local.get $entry) (i32.const 0))
        (if (i32.eq (i32.and (i32.load (local.get $slot)) (i32.const 3)) (i32.const 1))
          (then
            (call $put_bytes (local.get $at) (local.get $length))
            (if (i32.load offset=12 (local.get $slot))
              (then (i32.store (local.get $entry) (i32.load (i32.load offset=12 (local.get $slot)))))))
          (else
            (if (i32.lt_u (local.get $length) (i32.const 32))
              (then
                (call $put (i32.shl (local.get $length) (i32.const 2)))
                (call $put_bytes (local.get $at) (local.get $length)))
              (else
                (call $put (i32.const 0x80))
                (call $blake2b (local.get $at) (local.get $length) (global.get $sp))
                (global.set $sp (i32.add (global.get $sp) (i32.const 32)))
                (i32.store (local.get $entry)
                  (call $place (local.get $at) (local.get $length) (i32.load offset=12 (local.get $slot))
                    (i32.load offset=16 (local.get $slot))))))))
        (local.set $entry (i32.add (local.get $entry) (i32.const 4)))))
    (local.set $slot (i32.add (local.get $slot) (i32.const 32)))
    (br_if $next (local.tee $bitmap (i32.shr_u (local.get $bitmap) (i32.const 1)))))
  (call $finish (local.get $frame) (local.get $from) (local.get $count)))

;; The entry of a new child that its parent refers to by hash.
(func $place (param $at i32) (param $length i32) (param $entries i32) (param $count i32) (result i32)
  (local $node i32)
  (if (call $is_leaf (local.get $at)) (then (return (i32.const 1))))
  (if (i32.eqz (global.get $keeps)) (then (return (i32.const 0))))
  (local.set $node
    (call $node (local.get $at) (local.get $length) (local.get $entries) (local.get $count) (i32.const 1)))
  (if (local.get $node) (then (call $note_made (local.get $node))))
  (local.get $node))

;; The only child, with the partial key put together and its own nibble in front.
(func $melted (param $frame i32) (param $index i32) (param $item i32) (param $end i32)
  (local $slot i32) (local $at i32) (local $length i32) (local $entries i32) (local $count i32) (local $node i32)
  (local $from i32) (local $rest i32)
  (local.set $slot (call $slot (local.get $frame) (local.get $index)))
  (local.set $at (i32.load offset=4 (local.get $slot)))
  (local.set $length (i32.load offset=8 (local.get $slot)))
  (if (i32.eq (i32.and (i32.load (local.get $slot)) (i32.const 3)) (i32.const 2))
    (then
      (local.set $entries (i32.load offset=12 (local.get $slot)))
      (local.set $count (i32.load offset=16 (local.get $slot))))
    (else
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x80))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $length (i32.sub (local.get $length) (i32.const 1))))
        (else
          (local.set $node (i32.load (i32.load offset=12 (local.get $slot))))
          (if (i32.lt_u (local.get $node) (i32.const 2))
            (then
              (call $note_missing (local.get $item) (local.get $end) (local.get $index)
                (i32.load offset=12 (local.get $slot)) (i32.add (local.get $at) (i32.const 1)))
              (call $as_before (local.get $frame))
              (return)))
          (call $note_replaced (local.get $node))
          (local.set $at (call $encoding (local.get $node)))
          (local.set $length (i32.load (local.get $node)))
          (local.set $entries (i32.add (local.get $node) (i32.const 8)))
          (local.set $count (i32.load16_u offset=4 (local.get $node)))
          (if (i32.eqz (call $is_leaf (local.get $at)))
            (then (call $note_gone (local.get $item) (local.get $end) (local.get $index))))))))
  (if (i32.eqz (call $room (i32.add (i32.const 0x9000) (local.get $length))))
    (then (call $as_before (local.get $frame)) (return)))
  (call $parse (local.get $at))
  (call $nibble (local.get $index))
  (call $nibbles_of_partial (global.get $partial) (global.get $count) (i32.const 0) (global.get $count))
  (local.set $from (global.get $sp))
  (if (local.get $entries)
    (then (call $put_bytes (local.get $entries) (i32.shl (local.get $count) (i32.const 2))))
    (else
      (if (global.get $bitmap)
        (then
          (local.set $count (i32.popcnt (global.get $bitmap)))
          (memory.fill (global.get $sp) (i32.const 0) (i32.shl (local.get $count) (i32.const 2)))
          (global.set $sp (i32.add (global.get $sp) (i32.shl (local.get $count) (i32.const 2))))))))
  (call $put_head (global.get $kind))
  (local.set $rest
    (i32.add (global.get $partial) (i32.shr_u (i32.add (global.get $count) (i32.const 1)) (i32.const 1))))
  (call $put_bytes (local.get $rest)
    (i32.sub (i32.add (local.get $at) (local.get $length)) (local.get $rest)))
  (call $finish (local.get $frame) (local.get $from) (local.get $count)))

;; A subtree from nothing: of the items that are not deleted.
(func $build (param $at i32) (param $low i32) (param $high i32) (param $depth i32)
  (local $start i32) (local $end i32) (local $first i32) (local $stop i32) (local $nibble i32) (local $slot i32)
  (local $value i32) (local $value_at i32) (local $value_length i32) (local $item i32)
  (block $live
    (loop $next
      (br_if $live (i32.ge_u (local.get $low) (local.get $high)))
      (br_if $live (i32.eqz (call $deletes (local.get $low))))
      (local.set $low (i32.add (local.get $low) (i32.const 1)))
      (br $next)))
  (if (i32.eq (local.get $low) (local.get $high)) (then (global.set $r (i32.const 0)) (return)))
  (block $live
    (loop $next
      (br_if $live (i32.eqz (call $deletes (i32.sub (local.get $high) (i32.const 1)))))
      (local.set $high (i32.sub (local.get $high) (i32.const 1)))
      (br $next)))
  (if (i32.eq (i32.sub (local.get $high) (local.get $low)) (i32.const 1))
    (then (call $leaf (local.get $low) (local.get $at)) (return)))
  (local.set $start (global.get $sp))
  (if (i32.ge_u (local.get $depth) (i32.const 200))
    (then (global.set $stop (i32.const 3)) (call $as_before (local.get $start)) (return)))
  (if (i32.eqz (call $room (i32.const 1024))) (then (call $as_before (local.get $start)) (return)))
  (memory.fill (local.get $start) (i32.const 0) (i32.const 512))
  (global.set $sp (i32.add (local.get $start) (i32.const 512)))
  (local.set $first (local.get $low))
  (local.set $end (call $parting (local.get $low) (i32.sub (local.get $high) (i32.const 1)) (local.get $at)))
  (if (i32.eq (call $key_length (local.get $low)) (local.get $end))
    (then
      (local.set $item (call $item (local.get $low)))
      (local.set $value (i32.load offset=16 (local.get $item)))
      (local.set $value_at (i32.load offset=8 (local.get $item)))
      (local.set $value_length (i32.load offset=12 (local.get $item)))
      (local.set $low (i32.add (local.get $low) (i32.const 1)))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $low) (local.get $high)))
      (local.set $nibble (call $key_nibble (local.get $low) (local.get $end)))
      (local.set $stop (call $run_end (local.get $low) (local.get $high) (local.get $end)))
      (call $build (i32.add (local.get $end) (i32.const 1)) (local.get $low) (local.get $stop)
        (i32.add (local.get $depth) (i32.const 1)))
      (if (global.get $stop) (then (call $as_before (local.get $start)) (return)))
      (if (i32.eq (global.get $r) (i32.const 2))
        (then
          (local.set $slot (call $slot (local.get $start) (local.get $nibble)))
          (call $take (local.get $slot) (i32.const 0))))
      (local.set $low (local.get $stop))
      (br $next)))
  (global.set $nibbles (i32.const 0x10000))
  (call $nibbles_of_key (local.get $first) (local.get $at) (local.get $end))
  (call $rebuilt (local.get $start) (local.get $value) (local.get $value_at) (local.get $value_length)
    (local.get $first) (local.get $end)))
