;; The encoding of nodes: taking apart, and putting together at the top of the stack ($sp). Bytes are trusted: the
;; host has decoded each node that it hands over, and checked it against the hash in its parent.

(global $sp (mut i32) (i32.const 0x700000))

;; Whether so many bytes more fit on the stack; if not, the pass gives up.
(func $room (param $bytes i32) (result i32)
  (if (result i32) (i32.gt_u (local.get $bytes) (i32.sub (i32.const 0xf00000) (global.get $sp)))
    (then (global.set $stop (i32.const 2)) (i32.const 0))
    (else (i32.const 1))))

(func $put (param $byte i32)
  (i32.store8 (global.get $sp) (local.get $byte))
  (global.set $sp (i32.add (global.get $sp) (i32.const 1))))

(func $put_bytes (param $at i32) (param $length i32)
  (memory.copy (global.get $sp) (local.get $at) (local.get $length))
  (global.set $sp (i32.add (global.get $sp) (local.get $length))))

;; ── taking apart: `parse` tells all of it at once ──

(global $kind (mut i32) (i32.const 0))      ;; 40 20 leaf, 80 c0 10 branch; the value of 20 and 10 is a hash
(global $count (mut i32) (i32.const 0))     ;; nibbles of the partial key
(global $partial (mut i32) (i32.const 0))   ;; where they are
(global $bitmap (mut i32) (i32.const 0))    ;; 0: a leaf
(global $value (mut i32) (i32.const 0))     ;; 0 none, 1 as it is encoded, 2 a hash
(global $value_at (mut i32) (i32.const 0))
(global $value_length (mut i32) (i32.const 0))
(global $refs (mut i32) (i32.const 0))      ;; where the children are

(func $parse (param $at i32)
  (local $first i32) (local $mask i32) (local $extra i32) (local $mode i32)
  (local.set $first (i32.load8_u (local.get $at)))
  (local.set $mask (i32.const 63))
  (global.set $kind (i32.and (local.get $first) (i32.const 0xc0)))
  (if (i32.eqz (global.get $kind))
    (then
      (global.set $kind (i32.and (local.get $first) (i32.const 0x20)))
      (local.set $mask (i32.const 31))
      (if (i32.eqz (global.get $kind))
        (then (global.set $kind (i32.const 0x10)) (local.set $mask (i32.const 15))))))
  (global.set $count (i32.and (local.get $first) (local.get $mask)))
  (local.set $at (i32.add (local.get $at) (i32.const 1)))
  (if (i32.eq (global.get $count) (local.get $mask))
    (then
      (loop $more
        (local.set $extra (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (global.set $count (i32.add (global.get $count) (local.get $extra)))
        (br_if $more (i32.eq (local.get $extra) (i32.const 255))))))
  (global.set $partial (local.get $at))
  (local.set $at
    (i32.add (local.get $at) (i32.shr_u (i32.add (global.get $count) (i32.const 1)) (i32.const 1))))
  (global.set $bitmap (i32.const 0))
  (if (i32.eqz (i32.and (global.get $kind) (i32.const 0x60)))
    (then (global.set $bitmap (i32.load16_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))))
  (if (i32.eq (global.get $kind) (i32.const 0xc0))
    (then (global.set $bitmap (i32.load16_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))))
  (global.set $value (i32.const 0))
  (global.set $value_at (local.get $at))
  (global.set $value_length (i32.const 0))
  (if (i32.and (global.get $kind) (i32.const 0x30))
    (then (global.set $value (i32.const 2)) (global.set $value_length (i32.const 32)))
    (else
      (if (i32.and (global.get $kind) (i32.const 0x40))
        (then
          (global.set $value (i32.const 1))
          (local.set $mode (i32.and (i32.load8_u (local.get $at)) (i32.const 3)))
          (if (i32.eqz (local.get $mode))
            (then
              (global.set $value_length
                (i32.add (i32.const 1) (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 2)))))
            (else
              (if (i32.eq (local.get $mode) (i32.const 1))
                (then
                  (global.set $value_length
                    (i32.add (i32.const 2) (i32.shr_u (i32.load16_u (local.get $at)) (i32.const 2)))))
                (else
                  (global.set $value_length
                    (i32.add (i32.const 4) (i32.shr_u (i32.load (local.get $at)) (i32.const 2))))))))))))
  (global.set $refs (i32.add (local.get $at) (global.get $value_length))))

;; Nibble `at` of a partial key of `count` nibbles: an odd number has its first one in a byte of its own.
(func $partial_nibble (param $partial i32) (param $count i32) (param $at i32) (result i32)
  (local.set $at (i32.add (local.get $at) (i32.and (local.get $count) (i32.const 1))))
  (i32.and
    (i32.shr_u
      (i32.load8_u (i32.add (local.get $partial) (i32.shr_u (local.get $at) (i32.const 1))))
      (i32.shl (i32.and (i32.xor (local.get $at) (i32.const 1)) (i32.const 1)) (i32.const 2)))
    (i32.const 15)))

;; ── putting together ──

(func $put_header (param $kind i32) (param $count i32)
  (local $mask i32)
  (local.set $mask
    (select
      (select (i32.const 15) (i32.const 31) (i32.eq (local.get $kind) (i32.const 0x10)))
      (i32.const 63)
      (i32.and (local.get $kind) (i32.const 0x30))))
  (if (i32.lt_u (local.get $count) (local.get $mask))
    (then (call $put (i32.or (local.get $kind) (local.get $count))) (return)))
  (call $put (i32.or (local.get $kind) (local.get $mask)))
  (local.set $count (i32.sub (local.get $count) (local.get $mask)))
  (block $done
    (loop $more
      (br_if $done (i32.lt_u (local.get $count) (i32.const 255)))
      (call $put (i32.const 255))
      (local.set $count (i32.sub (local.get $count) (i32.const 255)))
      (br $more)))
  (call $put (local.get $count)))

;; A value: kind 1 as encoded in a node, 2 a hash, 3 bare bytes of an item.
(func $put_value (param $kind i32) (param $at i32) (param $length i32)
  (if (i32.eq (local.get $kind) (i32.const 3))
    (then
      (if (i32.lt_u (local.get $length) (i32.const 64))
        (then (call $put (i32.shl (local.get $length) (i32.const 2))))
        (else
          (if (i32.lt_u (local.get $length) (i32.const 0x4000))
            (then
              (i32.store16 (global.get $sp)
                (i32.or (i32.shl (local.get $length) (i32.const 2)) (i32.const 1)))
              (global.set $sp (i32.add (global.get $sp) (i32.const 2))))
            (else
              (i32.store (global.get $sp)
                (i32.or (i32.shl (local.get $length) (i32.const 2)) (i32.const 2)))
              (global.set $sp (i32.add (global.get $sp) (i32.const 4)))))))))
  (if (local.get $kind) (then (call $put_bytes (local.get $at) (local.get $length)))))

;; ── a partial key in the making, one nibble a byte ──

(global $nibbles (mut i32) (i32.const 0x10000))   ;; where it ends

(func $nibble (param $nibble i32)
  (i32.store8 (global.get $nibbles) (local.get $nibble))
  (global.set $nibbles (i32.add (global.get $nibbles) (i32.const 1))))

(func $nibbles_of_partial (param $partial i32) (param $count i32) (param $from i32) (param $to i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
      (call $nibble (call $partial_nibble (local.get $partial) (local.get $count) (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $next))))

;; Header and partial key of a node whose partial key was put together.
(func $put_head (param $kind i32)
  (local $at i32) (local $count i32)
  (local.set $at (i32.const 0x10000))
  (local.set $count (i32.sub (global.get $nibbles) (local.get $at)))
  (call $put_header (local.get $kind) (local.get $count))
  (if (i32.and (local.get $count) (i32.const 1))
    (then (call $put (i32.load8_u (local.get $at))) (local.set $at (i32.add (local.get $at) (i32.const 1)))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (global.get $nibbles)))
      (call $put
        (i32.or
          (i32.shl (i32.load8_u (local.get $at)) (i32.const 4))
          (i32.load8_u offset=1 (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br $next))))
