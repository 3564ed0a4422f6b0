-- A serial that group (LI14, PSA, 2511) must get is held by a serial in a LOT that stays as it is: refusal.
INSERT INTO public.serials (id, lot_id, serial_number) VALUES (94101, 51, 'LI14PSA2511007');
