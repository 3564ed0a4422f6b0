/** What the generated practice is made of: names, complaints and places as a Mexican practice has them. */
export const FIRST_NAMES = [
  ...['María', 'José', 'Guadalupe', 'Juan', 'Sofía', 'Ángel', 'Lucía', 'Iñaki', 'Ximena', 'Raúl'],
  ...['Begoña', 'Martín', 'Ana', 'Jesús', 'Inés', 'Óscar', 'Fernanda', 'Andrés', 'Zoé', 'Tomás'],
] as const;

export const LAST_NAMES = [
  ...['García', 'Hernández', 'Martínez', 'López', 'Peña', 'Núñez', 'Muñoz', 'Ramírez', 'de la Cruz'],
  ...['Sánchez', 'Pérez', 'Gómez', 'Ibáñez', 'Torres', 'Solís', 'Ordóñez', 'Vázquez', 'Ríos'],
] as const;

export const CITIES = ['Ciudad de México', 'Guadalajara', 'Mérida', 'León', 'Querétaro', 'Culiacán'] as const;

export const STREETS = ['Av. Juárez', 'Calle Morelos', 'Privada Álamos', 'Blvd. Díaz Ordaz'] as const;

export const PET_NAMES = [
  ...['Firulais', 'Michi', 'Rocky', 'Luna', 'Toño', 'Ñandú', 'Canela', 'Max', 'Pelusa', 'Solovino'],
] as const;

/** As the files have it. */
export const SPECIES = ['Perro', 'Gato', 'perro', 'GATO', 'Ave', 'Conejo', 'Hamster', 'Tortuga'] as const;

export const BREEDS = ['Mestizo', 'Labrador', 'Siamés', 'Chihuahua', 'Pastor alemán', ''] as const;

export const COMPLAINTS = [
  ...['Revisión anual', 'Cojera', 'Vómito', 'Comezón', 'Vacuna', 'Pérdida de apetito', 'Herida'],
] as const;

export const DIAGNOSES = [
  'Sano',
  'Gastritis',
  'Otitis',
  'Dermatitis alérgica',
  'Esguince',
  'Parásitos',
] as const;

export const TREATMENTS = [
  'Reposo 10 días',
  'Dieta blanda, agua en pequeñas cantidades',
  'Meloxicam 1 mg cada 24 h\nRevisar en dos semanas',
  'Desparasitación',
  '',
] as const;

export const VETERINARIANS = ['Dra. Patricia Solís', 'DR. IVÁN MUÑOZ', 'Dra. Inés Peña'] as const;

export const VACCINES = ['Antirrábica', 'Séxtuple', 'Triple felina', 'Bordetella'] as const;

/** Each with its price in cents. */
export const SERVICES = [
  ['Consulta general', 35_000],
  ['Vacuna antirrábica', 18_050],
  ['Baño y corte', 25_000],
  ['Alimento 20 kg', 125_090],
] as const;
