throw new Error("no such service");
export const never = () => [];
