;; What the host calls: the trie in memory, one update of it at a time, and walks over it.

(global $root (mut i32) (i32.const 0))          ;; the trie's root node, 0 if it is empty
(global $next (mut i32) (i32.const 0))          ;; that of the updated trie
(global $pending (mut i32) (i32.const 0))       ;; whether there is one

;; Answers, as u32: at 20 what came of it, at 24 nodes missing or a count, at 28 branches gone, at 2c bytes in use, at 30
;; nodes to write.

(func $answer (param $code i32)
  (i32.store (i32.const 0x20) (local.get $code))
  (i32.store (i32.const 0x24) (global.get $missing))
  (i32.store (i32.const 0x28) (global.get $gone))
  (i32.store (i32.const 0x2c) (global.get $used))
  (i32.store (i32.const 0x30) (global.get $dirty)))

(func $begin
  (global.set $sp (i32.const 0x700000))
  (global.set $stop (i32.const 0))
  (global.set $missing (i32.const 0))
  (global.set $gone (i32.const 0)))

;; Go back to the trie as it was before the last update.
(func $back (export "back")
  (call $free_all (i32.const 0x300000) (global.get $made))
  (global.set $made (i32.const 0x300000))
  (global.set $replaced (i32.const 0x500000))
  (global.set $pending (i32.const 0))
  (call $answer (i32.const 0)))

;; Go over to the updated trie.
(func (export "adopt")
  (if (global.get $pending)
    (then
      (call $free_all (i32.const 0x500000) (global.get $replaced))
      (global.set $root (global.get $next))))
  (global.set $made (i32.const 0x300000))
  (global.set $replaced (i32.const 0x500000))
  (global.set $pending (i32.const 0))
  (call $answer (i32.const 0)))

;; The trie after the `n` items that were prepared. Code 0: its root hash is at 0; 1: nodes are missing; 2: no room;
;; 3: too deep; 4: nothing changes; 5: it is empty.
(func (export "update") (param $n i32)
  (local $branch i32) (local $code i32)
  (call $back)
  (call $begin)
  (if (global.get $root)
    (then
      (local.set $branch (i32.eqz (call $is_leaf (call $encoding (global.get $root)))))
      (call $update (call $encoding (global.get $root)) (i32.load (global.get $root))
        (i32.add (global.get $root) (i32.const 8)) (i32.load16_u offset=4 (global.get $root))
        (i32.const 0) (i32.const 0) (local.get $n) (i32.const 0)))
    (else
      (call $build (i32.const 0) (i32.const 0) (local.get $n) (i32.const 0))
      (if (i32.eqz (global.get $r)) (then (global.set $r (i32.const 1))))))
  (if (i32.eqz (call $halted))
    (then
      (if (i32.eq (global.get $r) (i32.const 1))
        (then (call $answer (i32.const 4)) (return)))
      (global.set $next (i32.const 0))
      (local.set $code (i32.const 5))
      (if (global.get $r)
        (then
          (local.set $code (i32.const 0))
          (call $blake2b (global.get $r_at) (global.get $r_length) (i32.const 0))
          (if (i32.eqz (call $is_leaf (global.get $r_at))) (then (local.set $branch (i32.const 0))))
          (global.set $next
            (call $node (global.get $r_at) (global.get $r_length) (global.get $r_entries) (global.get $r_count)
              (i32.eqz (call $is_leaf (global.get $r_at)))))
          (if (global.get $next) (then (call $note_made (global.get $next))))))
      (if (global.get $root) (then (call $note_replaced (global.get $root))))
      (if (local.get $branch) (then (call $note_gone (i32.const 0) (i32.const 0) (i32.const -1))))))
  (if (call $halted)
    (then
      (call $back)
      (call $answer (select (global.get $stop) (i32.const 1) (global.get $stop)))
      (return)))
  (global.set $pending (i32.const 1))
  (call $answer (local.get $code)))

;; What the update of the `n` prepared items would miss: code 1 and nodes that have to be there, 0, or 2 and 3. Much
;; cheaper than an update that comes to nothing: no node is put together. An update may still miss a node that melts.
(func (export "seek") (param $n i32)
  (call $back)
  (call $begin)
  (if (global.get $root)
    (then
      (global.set $seeks (i32.const 1))
      (call $update (call $encoding (global.get $root)) (i32.load (global.get $root))
        (i32.add (global.get $root) (i32.const 8)) (i32.load16_u offset=4 (global.get $root))
        (i32.const 0) (i32.const 0) (local.get $n) (i32.const 0))
      (global.set $seeks (i32.const 0))
      (call $back)))
  (call $answer (select (global.get $stop) (i32.ne (global.get $missing) (i32.const 0)) (global.get $stop))))

;; Only the root hash of the trie that holds the prepared items; codes as above.
(func (export "root_of") (param $n i32)
  (call $begin)
  (global.set $keeps (i32.const 0))
  (call $build (i32.const 0) (i32.const 0) (local.get $n) (i32.const 0))
  (global.set $keeps (i32.const 1))
  (if (global.get $stop) (then (call $answer (global.get $stop)) (return)))
  (call $blake2b (global.get $r_at) (global.get $r_length) (i32.const 0))
  (call $answer (i32.const 0)))

;; `n` nodes that were missing, at f00000: each as u32 entry of its parent (0: it is the root), u32 length, its bytes.
;; Code 2: no room.
(func (export "attach") (param $n i32)
  (local $at i32) (local $node i32) (local $entry i32) (local $length i32)
  (call $begin)
  (local.set $at (i32.const 0xf00000))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (local.set $entry (i32.load (local.get $at)))
      (local.set $length (i32.load offset=4 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (call $parse (local.get $at))
      (if (i32.or (i32.eqz (local.get $entry)) (i32.lt_u (i32.load (local.get $entry)) (i32.const 2)))
        (then
          (local.set $node
            (call $node (local.get $at) (local.get $length) (i32.const 0) (i32.popcnt (global.get $bitmap))
              (i32.const 0)))
          (br_if $done (i32.eqz (local.get $node)))
          (if (local.get $entry)
            (then (i32.store (local.get $entry) (local.get $node)))
            (else (global.set $root (local.get $node))))))
      (local.set $at (i32.add (local.get $at) (local.get $length)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
  (call $answer (global.get $stop)))

;; The entry of the node at a path of `n` nibbles, two a byte, and where its hash is; 0: its parent is not in memory, or
;; it has no hash. Whether the partial keys go along with the path is not asked: the hash tells.
(global $hash (mut i32) (i32.const 0))

(func $seek (param $path i32) (param $n i32) (result i32)
  (local $node i32) (local $i i32) (local $nibble i32) (local $below i32) (local $ref i32)
  (local.set $node (global.get $root))
  (loop $down
    (if (i32.lt_u (local.get $node) (i32.const 2)) (then (return (i32.const 0))))
    (call $parse (call $encoding (local.get $node)))
    (local.set $i (i32.add (local.get $i) (global.get $count)))
    (if (i32.ge_u (local.get $i) (local.get $n)) (then (return (i32.const 0))))
    (local.set $nibble (call $partial_nibble (local.get $path) (i32.const 0) (local.get $i)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (if (i32.eqz (i32.and (global.get $bitmap) (i32.shl (i32.const 1) (local.get $nibble))))
      (then (return (i32.const 0))))
    (local.set $below
      (i32.popcnt
        (i32.and (global.get $bitmap)
          (i32.sub (i32.shl (i32.const 1) (local.get $nibble)) (i32.const 1)))))
    (local.set $node
      (i32.add (i32.add (local.get $node) (i32.const 8)) (i32.shl (local.get $below) (i32.const 2))))
    (if (i32.lt_u (local.get $i) (local.get $n))
      (then (local.set $node (i32.load (local.get $node))) (br $down))))
  (local.set $ref (global.get $refs))
  (block $found
    (loop $next
      (br_if $found (i32.eqz (local.get $below)))
      (local.set $ref
        (i32.add (local.get $ref)
          (i32.add (i32.const 1) (i32.shr_u (i32.load8_u (local.get $ref)) (i32.const 2)))))
      (local.set $below (i32.sub (local.get $below) (i32.const 1)))
      (br $next)))
  (if (i32.ne (i32.load8_u (local.get $ref)) (i32.const 0x80)) (then (return (i32.const 0))))
  (global.set $hash (i32.add (local.get $ref) (i32.const 1)))
  (local.get $node))

;; The node whose path, of `n` nibbles, is at f00000: at 24 its address, at 28 its length; 0: it is not in memory.
(func (export "find") (param $n i32)
  (local $node i32)
  (local.set $node (global.get $root))
  (if (local.get $n)
    (then
      (local.set $node (call $seek (i32.const 0xf00000) (local.get $n)))
      (if (local.get $node) (then (local.set $node (i32.load (local.get $node)))))))
  (i32.store (i32.const 0x28) (i32.const 0))
  (if (i32.gt_u (local.get $node) (i32.const 1))
    (then
      (i32.store (i32.const 0x24) (call $encoding (local.get $node)))
      (i32.store (i32.const 0x28) (i32.load (local.get $node))))))

;; `n` nodes that nobody asked for yet, at f00000, parents first: each as u32 nibbles of the path, u32 length, the path,
;; two nibbles a byte, its bytes. Those are taken that have a place, and the hash that is there.
(func (export "offer") (param $n i32)
  (local $at i32) (local $path i32) (local $nibbles i32) (local $length i32) (local $entry i32) (local $node i32)
  (call $begin)
  (local.set $at (i32.const 0xf00000))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (local.set $nibbles (i32.load (local.get $at)))
      (local.set $length (i32.load offset=4 (local.get $at)))
      (local.set $path (i32.add (local.get $at) (i32.const 8)))
      (local.set $at
        (i32.add (local.get $path) (i32.shr_u (i32.add (local.get $nibbles) (i32.const 1)) (i32.const 1))))
      (local.set $entry (call $seek (local.get $path) (local.get $nibbles)))
      (if (local.get $entry)
        (then
          (if (i32.eqz (i32.load (local.get $entry)))
            (then
              (call $blake2b (local.get $at) (local.get $length) (i32.const 0x40))
              (if (call $same (i32.const 0x40) (global.get $hash) (i32.const 32))
                (then
                  (call $parse (local.get $at))
                  (local.set $node
                    (call $node (local.get $at) (local.get $length) (i32.const 0)
                      (i32.popcnt (global.get $bitmap)) (i32.const 0)))
                  (br_if $done (i32.eqz (local.get $node)))
                  (i32.store (local.get $entry) (local.get $node))))))))
      (local.set $at (i32.add (local.get $at) (local.get $length)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
  (call $answer (global.get $stop)))

;; ── nodes to write ──

(global $skip (mut i32) (i32.const 0))
(global $listed (mut i32) (i32.const 0))
(global $out (mut i32) (i32.const 0))

;; List the changed branches of the trie, or with `updated` of the updated one: from the `skip`th on, as many as there is
;; room for, from f00000 on. Each as u32 address, u32 length, u32 length of the path, then the path: two
;; nibbles a byte, and a byte that says whether the last one is half. The count says how many.
(func (export "list") (param $skip i32) (param $updated i32)
  (local $from i32)
  (local.set $from
    (select (global.get $next) (global.get $root) (i32.and (local.get $updated) (global.get $pending))))
  (global.set $skip (local.get $skip))
  (global.set $listed (i32.const 0))
  (global.set $out (i32.const 0xf00000))
  (if (call $is_dirty (local.get $from)) (then (call $list (local.get $from) (i32.const 0x30000))))
  (i32.store (i32.const 0x24) (global.get $listed)))

;; Whether an entry is a branch that is to be written.
(func $is_dirty (param $entry i32) (result i32)
  (if (i32.lt_u (local.get $entry) (i32.const 2)) (then (return (i32.const 0))))
  (i32.load8_u offset=6 (local.get $entry)))

(func $list (param $node i32) (param $end i32)
  (local $bitmap i32) (local $entry i32) (local $nibble i32)
  (call $parse (call $encoding (local.get $node)))
  (call $list_one (local.get $node) (local.get $end))
  (local.set $bitmap (global.get $bitmap))
  (local.set $entry (i32.const 0))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $entry) (global.get $count)))
      (i32.store8 (local.get $end)
        (call $partial_nibble (global.get $partial) (global.get $count) (local.get $entry)))
      (local.set $end (i32.add (local.get $end) (i32.const 1)))
      (local.set $entry (i32.add (local.get $entry) (i32.const 1)))
      (br $next)))
  (local.set $entry (i32.add (local.get $node) (i32.const 8)))
  (loop $next
    (if (i32.and (local.get $bitmap) (i32.const 1))
      (then
        (if (call $is_dirty (i32.load (local.get $entry)))
          (then
            (i32.store8 (local.get $end) (local.get $nibble))
            (call $list (i32.load (local.get $entry)) (i32.add (local.get $end) (i32.const 1)))))
        (local.set $entry (i32.add (local.get $entry) (i32.const 4)))))
    (local.set $nibble (i32.add (local.get $nibble) (i32.const 1)))
    (br_if $next (local.tee $bitmap (i32.shr_u (local.get $bitmap) (i32.const 1))))))

(func $list_one (param $node i32) (param $end i32)
  (local $at i32) (local $bytes i32) (local $half i32)
  (if (global.get $skip) (then (global.set $skip (i32.sub (global.get $skip) (i32.const 1))) (return)))
  (local.set $bytes (i32.sub (local.get $end) (i32.const 0x30000)))
  (local.set $half (i32.and (local.get $bytes) (i32.const 1)))
  (local.set $bytes (i32.shr_u (i32.add (local.get $bytes) (i32.const 3)) (i32.const 1)))
  (if (i32.gt_u (i32.add (global.get $out) (i32.add (local.get $bytes) (i32.const 16))) (i32.const 0x1f00000))
    (then (global.set $skip (i32.const -1)) (return)))
  (global.set $listed (i32.add (global.get $listed) (i32.const 1)))
  (i32.store (global.get $out) (call $encoding (local.get $node)))
  (i32.store offset=4 (global.get $out) (i32.load (local.get $node)))
  (i32.store offset=8 (global.get $out) (local.get $bytes))
  (global.set $out (i32.add (global.get $out) (i32.const 12)))
  (i32.store8 (local.get $end) (i32.const 0))
  (local.set $at (i32.const 0x30000))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (i32.store8 (global.get $out)
        (i32.or
          (i32.shl (i32.load8_u (local.get $at)) (i32.const 4))
          (i32.load8_u offset=1 (local.get $at))))
      (global.set $out (i32.add (global.get $out) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br $next)))
  (i32.store8 (global.get $out) (local.get $half))
  (global.set $out (i32.add (global.get $out) (i32.const 1))))

;; All nodes of the trie are written.
(func (export "written")
  (if (global.get $root) (then (call $clean (global.get $root))))
  (call $answer (i32.const 0)))

(func $clean (param $node i32)
  (local $i i32) (local $count i32) (local $entry i32)
  (global.set $dirty (i32.sub (global.get $dirty) (i32.load8_u offset=6 (local.get $node))))
  (i32.store8 offset=6 (local.get $node) (i32.const 0))
  (local.set $count (i32.load16_u offset=4 (local.get $node)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
      (local.set $entry
        (i32.load offset=8 (i32.add (local.get $node) (i32.shl (local.get $i) (i32.const 2)))))
      (if (call $is_dirty (local.get $entry)) (then (call $clean (local.get $entry))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))))

;; ── forgetting ──

;; Forget about a quarter of the lowest branches in memory, of those that are written: which one, by their hashes.
(func (export "forget") (param $quarter i32)
  (call $back)
  (if (global.get $root) (then (drop (call $forget (global.get $root) (local.get $quarter)))))
  (call $answer (i32.const 0)))

;; Below a node; whether it has a child in memory (then it is not one of the lowest).
(func $forget (param $node i32) (param $quarter i32) (result i32)
  (local $i i32) (local $count i32) (local $at i32) (local $child i32) (local $holds i32) (local $ref i32)
  (call $parse (call $encoding (local.get $node)))
  (local.set $ref (global.get $refs))
  (local.set $count (i32.load16_u offset=4 (local.get $node)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
      (local.set $at
        (i32.add (i32.add (local.get $node) (i32.const 8)) (i32.shl (local.get $i) (i32.const 2))))
      (local.set $child (i32.load (local.get $at)))
      (if (i32.ge_u (local.get $child) (i32.const 2))
        (then
          (local.set $holds (i32.const 1))
          (if (call $is_leaf (call $encoding (local.get $child)))
            (then (call $free (local.get $child)) (i32.store (local.get $at) (i32.const 1)))
            (else
              (if (i32.eqz
                    (i32.or (call $forget (local.get $child) (local.get $quarter))
                      (i32.or
                        (i32.load8_u offset=6 (local.get $child))
                        (i32.ne (local.get $quarter)
                          (i32.and (i32.load8_u offset=1 (local.get $ref)) (i32.const 3))))))
                (then (call $free (local.get $child)) (i32.store (local.get $at) (i32.const 0))))))))
      (local.set $ref
        (i32.add (local.get $ref)
          (i32.add (i32.const 1) (i32.shr_u (i32.load8_u (local.get $ref)) (i32.const 2)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $holds))
